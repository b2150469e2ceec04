-- Puts a job back into its own queue, whatever became of it. p_reason: kept in its history.
CREATE OR REPLACE FUNCTION tm_requeue_v1(p_id bigint, p_reason text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  PERFORM tm_v1_lock(p_id);
  PERFORM tm_v1_move(p_id, 'Enqueued', p_reason);
  PERFORM tm_v1_ring();
END
$$
