-- Keeps a recurring job and its cron, but fires it no more until it is resumed.
CREATE OR REPLACE FUNCTION tm_pause_recurring_v1(p_id text)
RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
BEGIN
  PERFORM tm_v1_recurring(p_id);
  INSERT INTO "{prefix}Set" ("Key", "Value", "Score") VALUES ('paused-recurring-jobs', p_id, 0)
  ON CONFLICT ("Key", "Value") DO UPDATE SET "Score" = 0;
  DELETE FROM "{prefix}Hash" WHERE "Key" = 'recurring-pause:' || p_id;
  UPDATE "{prefix}Set" SET "Score" = -1 WHERE "Key" = 'python:recurring-jobs' AND "Value" = p_id;
  INSERT INTO "{prefix}Hash" ("Key", "Field", "Value")
  VALUES ('python:recurring-job:' || p_id, 'NextExecution', '')
  ON CONFLICT ("Key", "Field") DO UPDATE SET "Value" = '';
END
$$
