-- Runs a recurring job now, once, paused or not; its schedule goes on as it was. Answers the new job's id.
CREATE OR REPLACE FUNCTION tm_trigger_recurring_v1(p_id text)
RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_key text := 'python:recurring-job:' || p_id;
  v_fields json;
  v_call json;
  v_stored text;
  v_job bigint;
BEGIN
  PERFORM tm_v1_recurring(p_id);
  SELECT json_object_agg("Field", "Value") INTO v_fields FROM "{prefix}Hash" WHERE "Key" = v_key;
  BEGIN
    v_call := v_fields ->> 'Job';
  EXCEPTION WHEN invalid_text_representation THEN
    v_call := '{}';
  END;
  IF v_call ->> 't' IS NULL OR v_call ->> 'm' IS NULL THEN
    RAISE EXCEPTION 'the definition of recurring job % cannot be read: write it anew, by `taskmanager recurring add`',
      quote_literal(p_id);
  END IF;
  v_stored := tm_v1_compact(COALESCE(v_call -> 'a', '[]'), false);
  v_job := tm_v1_add(
    tm_v1_invocation(v_call ->> 't', v_call ->> 'm', tm_v1_compact(COALESCE(v_call -> 'p', '[]'), false), v_stored),
    v_stored, COALESCE(NULLIF(v_fields ->> 'Queue', ''), 'default'),
    CASE WHEN v_fields ->> 'Priority' ~ '^-?[0-9]+$' THEN (v_fields ->> 'Priority')::int ELSE 0 END,
    NULL, 'Triggered using recurring job manager');
  INSERT INTO "{prefix}JobParameter" ("JobId", "Name", "Value") VALUES
    (v_job, 'RecurringJobId', to_json(p_id)::text),
    (v_job, 'Time', floor(extract(epoch FROM clock_timestamp()))::bigint::text),
    (v_job, 'TriggeredBy', '"Manual"');
  INSERT INTO "{prefix}Hash" ("Key", "Field", "Value") VALUES (v_key, 'LastJobId', v_job::text)
  ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value";
  RETURN v_job;
END
$$
