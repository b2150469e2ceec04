-- Locks a recurring job by its member of the set; answers its id as it is stored, and that row's key.
CREATE PROCEDURE tm_v1_recurring(
  INOUT p_id TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_member BIGINT
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_id, v_field VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_field = NULL;
  IF p_id REGEXP '^c_job:[0-9]' THEN
    CALL tm_v1_refuse(CONCAT('recurring job ', QUOTE(LEFT(p_id, 20)),
      ' is a row of c_Job: UPDATE its NextRun = NOW(), or its IsActive, instead'));
  END IF;
  SELECT `Id`, `Value` INTO p_member, v_id FROM `{prefix}Set`
  WHERE `Key` = 'python:recurring-jobs' AND `Value` = p_id FOR UPDATE;
  SELECT `Field` INTO v_field FROM `{prefix}Hash`
  WHERE `Key` = CONCAT('python:recurring-job:', v_id) ORDER BY `Field` LIMIT 1;
  IF v_id IS NULL OR v_field IS NULL THEN
    CALL tm_v1_refuse(CONCAT('there is no recurring job ', QUOTE(LEFT(p_id, 40)),
      ': `taskmanager recurring list` shows those there are'));
  END IF;
  SET p_id = v_id;
END
