-- What to call, from `module:function` or `module.function` and a JSON array of values.
CREATE OR REPLACE FUNCTION tm_v1_call(p_job text, p_arguments text, OUT p_invocation text, OUT p_stored text)
LANGUAGE plpgsql AS $$
DECLARE
  v_parts text[] := regexp_match(p_job, CASE WHEN p_job LIKE '%:%' THEN '^([^:]+):([^:]+)$' ELSE '^(.+)\.([^.]+)$' END);
  v_arguments json;
BEGIN
  IF v_parts IS NULL OR p_job ~ '[^[:alnum:]_.:]' THEN
    RAISE EXCEPTION 'job %: write module:function or module.function', quote_nullable(left(p_job, 200));
  END IF;
  BEGIN
    v_arguments := COALESCE(p_arguments, '[]')::json;
  EXCEPTION WHEN invalid_text_representation THEN
    RAISE EXCEPTION 'the arguments of % are not valid JSON: write ''["a", 1]'', or json_build_array(''a'', 1)::text',
      p_job;
  END;
  IF json_typeof(v_arguments) <> 'array' THEN
    RAISE EXCEPTION 'the arguments of % are JSON %, not an array: write [ ] around them',
      p_job, json_typeof(v_arguments);
  END IF;
  p_stored := tm_v1_compact(v_arguments, true);
  p_invocation := tm_v1_invocation(v_parts[1], v_parts[2], '[]', p_stored);
END
$$
