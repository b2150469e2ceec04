-- Column InvocationData, as the program writes it.
CREATE OR REPLACE FUNCTION tm_v1_invocation(p_type text, p_method text, p_types text, p_stored text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
  IF octet_length(p_stored) > {max_bytes} THEN
    RAISE EXCEPTION 'the arguments of %:% are longer than {max_bytes} bytes: pass an id instead', p_type, p_method;
  END IF;
  RETURN '{"Type":' || to_json(p_type) || ',"Method":' || to_json(p_method)
    || ',"ParameterTypes":' || to_json(p_types) || ',"Arguments":' || to_json(p_stored) || '}';
END
$$
