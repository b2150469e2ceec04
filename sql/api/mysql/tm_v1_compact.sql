-- The items of a JSON array, written as the program writes them: no blanks between. p_as_texts: each value becomes a
-- JSON text in quotes; null stays null, which is what the worker fills in, or a default.
CREATE PROCEDURE tm_v1_compact(
  p_array LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_as_texts BOOLEAN,
  OUT p_compact LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_array JSON DEFAULT p_array;
  DECLARE v_length INT DEFAULT JSON_LENGTH(v_array);
  DECLARE v_at INT DEFAULT 0;
  DECLARE v_item LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  SET p_compact = '[';
  WHILE v_at < v_length DO
    SET v_item = JSON_EXTRACT(v_array, CONCAT('$[', v_at, ']'));
    IF p_as_texts AND v_item <> 'null' THEN
      SET v_item = JSON_QUOTE(v_item);
    END IF;
    SET p_compact = CONCAT(p_compact, IF(v_at = 0, '', ','), v_item);
    SET v_at = v_at + 1;
  END WHILE;
  SET p_compact = CONCAT(p_compact, ']');
END
