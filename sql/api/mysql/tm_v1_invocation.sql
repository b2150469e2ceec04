-- Column InvocationData, as the program writes it.
CREATE PROCEDURE tm_v1_invocation(
  p_type TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_method TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_types LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_stored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_invocation LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  IF OCTET_LENGTH(p_stored) > {max_bytes} THEN
    CALL tm_v1_refuse(CONCAT('the arguments of ', LEFT(p_type, 30), ':', LEFT(p_method, 30),
      ' are longer than {max_bytes} bytes: pass an id instead'));
  END IF;
  SET p_invocation = CONCAT('{"Type":', JSON_QUOTE(p_type), ',"Method":', JSON_QUOTE(p_method),
    ',"ParameterTypes":', JSON_QUOTE(p_types), ',"Arguments":', JSON_QUOTE(p_stored), '}');
END
