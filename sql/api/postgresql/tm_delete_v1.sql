-- Deletes a job; one that runs is cancelled. One that is Deleted already stays as it is.
-- Jobs that wait for it start or are deleted with it: all of them are locked before any is changed.
CREATE OR REPLACE FUNCTION tm_delete_v1(p_id bigint, p_reason text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_jobs bigint[] := ARRAY[p_id];
  v_starts boolean[] := ARRAY[false];
  v_at int := 1;
  v_waiting record;
BEGIN
  IF tm_v1_lock(p_id) IS NOT DISTINCT FROM 'Deleted' THEN
    RETURN;
  END IF;
  WHILE v_at <= cardinality(v_jobs) LOOP
    IF NOT v_starts[v_at] THEN
      FOR v_waiting IN SELECT * FROM tm_v1_waiting(v_jobs[v_at]) LOOP
        PERFORM 1 FROM "{prefix}Job" WHERE "Id" = v_waiting.child AND "StateName" = 'Awaiting' FOR UPDATE;
        IF FOUND AND v_waiting.child <> ALL (v_jobs) THEN
          v_jobs := v_jobs || v_waiting.child;
          v_starts := v_starts || v_waiting.starts;
        END IF;
      END LOOP;
    END IF;
    v_at := v_at + 1;
  END LOOP;
  PERFORM tm_v1_move(p_id, 'Deleted', p_reason);
  FOR v_at IN 2 .. cardinality(v_jobs) LOOP
    IF v_starts[v_at] THEN
      PERFORM tm_v1_move(v_jobs[v_at], 'Enqueued', 'Triggered by its parent');
      PERFORM tm_v1_ring();
    ELSE
      PERFORM tm_v1_move(v_jobs[v_at], 'Deleted', 'Continuation condition was not met');
    END IF;
  END LOOP;
END
$$
