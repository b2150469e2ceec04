-- What becomes of the jobs that wait for a deleted one: `D7,E8,` for job 7 to be deleted and job 8 to be enqueued.
CREATE PROCEDURE tm_v1_waiting(p_id BIGINT, OUT p_items LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_children LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_child, v_option VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_at INT DEFAULT 0;
  DECLARE v_length INT DEFAULT 0;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_children = NULL;
  SET p_items = '';
  SELECT `Value` INTO v_children FROM `{prefix}JobParameter` WHERE `JobId` = p_id AND `Name` = 'Continuations';
  IF JSON_VALID(v_children) THEN
    IF JSON_TYPE(v_children) = 'ARRAY' THEN
      SET v_length = JSON_LENGTH(v_children);
    END IF;
  END IF;
  WHILE v_at < v_length DO
    SET v_child = LEFT(JSON_UNQUOTE(JSON_EXTRACT(v_children, CONCAT('$[', v_at, '].JobId'))), 100);
    SET v_option = LEFT(JSON_UNQUOTE(JSON_EXTRACT(v_children, CONCAT('$[', v_at, '].Options'))), 100);
    IF v_child REGEXP '^[0-9]{1,18}$' THEN
      SET p_items = CONCAT(p_items, IF(v_option IN ('1', 'OnlyOnSucceededState'), 'D', 'E'), v_child, ',');
    END IF;
    SET v_at = v_at + 1;
  END WHILE;
END
