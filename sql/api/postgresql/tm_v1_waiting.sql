-- The jobs that wait for a deleted one, and whether each is enqueued now (starts) or deleted with it.
CREATE OR REPLACE FUNCTION tm_v1_waiting(p_id bigint) RETURNS TABLE (child bigint, starts boolean)
LANGUAGE plpgsql AS $$
DECLARE
  v_text text;
BEGIN
  SELECT "Value" INTO v_text FROM "{prefix}JobParameter" WHERE "JobId" = p_id AND "Name" = 'Continuations';
  IF v_text LIKE '[%' THEN
    RETURN QUERY
    SELECT (e.value ->> 'JobId')::bigint, COALESCE(e.value ->> 'Options', '0') NOT IN ('1', 'OnlyOnSucceededState')
    FROM json_array_elements(v_text::json) AS e(value)
    WHERE json_typeof(e.value) = 'object' AND e.value ->> 'JobId' ~ '^[0-9]{1,18}$';
  END IF;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN;
END
$$
