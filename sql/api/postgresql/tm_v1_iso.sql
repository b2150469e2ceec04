-- A moment in UTC as all Hangfire versions read it: seven digits.
CREATE OR REPLACE FUNCTION tm_v1_iso(p_moment timestamp) RETURNS text LANGUAGE sql AS $$
  SELECT to_char(p_moment, 'YYYY-MM-DD"T"HH24:MI:SS.US') || '0Z'
$$
