-- The items of a JSON array, written as the program writes them: no blanks between. p_as_texts: each value becomes a
-- JSON text in quotes; null stays null, which is what the worker fills in, or a default.
CREATE OR REPLACE FUNCTION tm_v1_compact(p_array json, p_as_texts boolean) RETURNS text LANGUAGE sql AS $$
  SELECT '[' || COALESCE(string_agg(
    CASE WHEN p_as_texts AND json_typeof(item) <> 'null' THEN to_json(item::text)::text ELSE item::text END,
    ',' ORDER BY place), '') || ']'
  FROM json_array_elements(p_array) WITH ORDINALITY AS items(item, place)
$$
