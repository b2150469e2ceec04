-- Enqueues a job, and answers its id. p_job: module:function or module.function; p_arguments: a JSON array of values.
CREATE OR REPLACE FUNCTION tm_enqueue_v1(p_job text, p_arguments text DEFAULT '[]', p_queue text DEFAULT 'default')
RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_call record;
BEGIN
  p_queue := tm_v1_queue(p_queue);
  SELECT * INTO v_call FROM tm_v1_call(p_job, p_arguments);
  RETURN tm_v1_add(v_call.p_invocation, v_call.p_stored, p_queue, 0, NULL, NULL);
END
$$
