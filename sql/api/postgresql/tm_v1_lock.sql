-- Locks a job's row, before anything else of it is touched: everybody goes in this order. Answers its state.
CREATE OR REPLACE FUNCTION tm_v1_lock(p_id bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_state text;
BEGIN
  SELECT "StateName" INTO v_state FROM "{prefix}Job" WHERE "Id" = p_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no job %: it never existed, or has expired; "{prefix}Job" has those there are', p_id;
  END IF;
  RETURN v_state;
END
$$
