-- What to call, from `module:function` or `module.function` and a JSON array of values.
CREATE PROCEDURE tm_v1_call(
  p_job TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_arguments LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_invocation LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_stored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_mark CHAR(1) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT IF(INSTR(p_job, ':') > 0, ':', '.');
  DECLARE v_method, v_type TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  SET v_method = SUBSTRING_INDEX(p_job, v_mark, -1);
  SET v_type = LEFT(p_job, CHAR_LENGTH(p_job) - CHAR_LENGTH(v_method) - 1);
  IF p_job IS NULL OR v_type = '' OR v_method = '' OR v_type LIKE '%:%' OR p_job REGEXP '[^[:alnum:]_.:]' THEN
    CALL tm_v1_refuse(CONCAT('job ', QUOTE(LEFT(p_job, 60)), ': write module:function or module.function'));
  END IF;
  SET p_arguments = COALESCE(p_arguments, '[]');
  IF NOT JSON_VALID(p_arguments) THEN
    CALL tm_v1_refuse(CONCAT('the arguments of ', LEFT(p_job, 50),
      ' are not valid JSON: write ''["a", 1]'', or JSON_ARRAY(''a'', 1)'));
  END IF;
  IF JSON_TYPE(p_arguments) <> 'ARRAY' THEN
    CALL tm_v1_refuse(CONCAT('the arguments of ', LEFT(p_job, 50), ' are JSON ', LOWER(JSON_TYPE(p_arguments)),
      ', not an array: write [ ] around them'));
  END IF;
  CALL tm_v1_compact(p_arguments, TRUE, p_stored);
  CALL tm_v1_invocation(v_type, v_method, '[]', p_stored, p_invocation);
END
