-- The name of a queue, checked; NULL means `default`.
CREATE OR REPLACE FUNCTION tm_v1_queue(p_queue text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  p_queue := COALESCE(p_queue, 'default');
  IF char_length(p_queue) NOT BETWEEN 1 AND 50 OR p_queue ~ '[^a-z0-9_-]' THEN
    RAISE EXCEPTION 'queue %: a queue name has 1 to 50 of the characters a-z, 0-9, _ and -',
      quote_literal(left(p_queue, 60));
  END IF;
  RETURN p_queue;
END
$$
