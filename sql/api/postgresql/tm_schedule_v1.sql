-- As tm_enqueue_v1, to run at a moment.
CREATE OR REPLACE FUNCTION tm_schedule_v1(p_job text, p_arguments text, p_queue text, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_call record;
  v_id bigint;
BEGIN
  p_queue := tm_v1_queue(p_queue);
  SELECT * INTO v_call FROM tm_v1_call(p_job, p_arguments);
  IF p_at IS NULL OR NOT isfinite(p_at) THEN
    RAISE EXCEPTION 'the moment of % is %: give one such as now() + interval ''1 hour''',
      p_job, COALESCE(p_at::text, 'NULL');
  END IF;
  v_id := tm_v1_add(v_call.p_invocation, v_call.p_stored, p_queue, 0, timezone('utc', p_at), NULL);
  INSERT INTO "{prefix}JobParameter" ("JobId", "Name", "Value") VALUES (v_id, 'Delayed', '1');
  RETURN v_id;
END
$$
