-- Wakes workers that sleep, when the caller commits.
CREATE OR REPLACE FUNCTION tm_v1_ring() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('taskmanager_' || split_part("Value", ':', 2), '')
  FROM "{prefix}Set" WHERE "Key" = 'doorbells' AND "Value" ~ '^[0-9]+:[0-9a-f]{32}$';
END
$$
