-- Fires a recurring job again, from the next slot on. SQL knows no cron: the job is made due, and as it
-- has been resumed now, a scheduler finds no slot that was missed, and writes the next one.
CREATE OR REPLACE FUNCTION tm_resume_recurring_v1(p_id text)
RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_now timestamp := timezone('utc', clock_timestamp());
  v_key text := 'python:recurring-job:' || p_id;
BEGIN
  PERFORM tm_v1_recurring(p_id);
  DELETE FROM "{prefix}Set" WHERE "Key" = 'paused-recurring-jobs' AND "Value" = p_id;
  DELETE FROM "{prefix}Hash" WHERE "Key" = 'recurring-pause:' || p_id;
  UPDATE "{prefix}Set" SET "Score" = extract(epoch FROM v_now)
  WHERE "Key" = 'python:recurring-jobs' AND "Value" = p_id;
  INSERT INTO "{prefix}Hash" ("Key", "Field", "Value")
  VALUES (v_key, 'Error', ''), (v_key, 'ResumedAt', tm_v1_iso(v_now)), (v_key, 'NextExecution', tm_v1_iso(v_now))
  ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = EXCLUDED."Value";
END
$$
