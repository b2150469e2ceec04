-- Locks a recurring job by its member of the set.
CREATE OR REPLACE FUNCTION tm_v1_recurring(p_id text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_id ~ '^c_job:[0-9]' THEN
    RAISE EXCEPTION 'recurring job % is a row of c_Job: UPDATE its "NextRun", or its "IsActive", instead',
      quote_literal(p_id);
  END IF;
  PERFORM 1 FROM "{prefix}Set" WHERE "Key" = 'python:recurring-jobs' AND "Value" = p_id FOR UPDATE;
  IF NOT FOUND OR NOT EXISTS (SELECT 1 FROM "{prefix}Hash" WHERE "Key" = 'python:recurring-job:' || p_id) THEN
    RAISE EXCEPTION 'there is no recurring job %: `taskmanager recurring list` shows those there are',
      quote_nullable(p_id);
  END IF;
END
$$
