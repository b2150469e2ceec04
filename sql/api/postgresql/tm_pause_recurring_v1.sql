-- Keeps a recurring job and its cron, but fires it no more until it is resumed.
CREATE OR REPLACE FUNCTION tm_pause_recurring_v1(p_id text)
RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
DECLARE
  v_pause text := 'recurring-pause:' || p_id;
BEGIN
  PERFORM tm_v1_recurring(p_id);
  INSERT INTO "{prefix}Set" ("Key", "Value", "Score") VALUES ('paused-recurring-jobs', p_id, 0)
  ON CONFLICT ("Key", "Value") DO UPDATE SET "Score" = 0;
  INSERT INTO "{prefix}Hash" AS h ("Key", "Field", "Value")
  VALUES (v_pause, 'By', ''), (v_pause, 'Note', ''),
    (v_pause, 'Since', tm_v1_iso(timezone('utc', clock_timestamp())::timestamp)), (v_pause, 'Until', '')
  ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = CASE h."Field" WHEN 'Since' THEN h."Value" ELSE '' END;
  UPDATE "{prefix}Set" SET "Score" = -1 WHERE "Key" = 'python:recurring-jobs' AND "Value" = p_id;
  INSERT INTO "{prefix}Hash" ("Key", "Field", "Value")
  VALUES ('python:recurring-job:' || p_id, 'NextExecution', '')
  ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = '';
END
$$
