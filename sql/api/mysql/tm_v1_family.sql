-- Who is changed when a job is deleted: itself, and the jobs that wait for it, and for those. Locks their rows.
-- The answer is as that of tm_v1_waiting; each job stands in it once.
CREATE PROCEDURE tm_v1_family(p_id BIGINT, OUT p_items LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_job BIGINT;
  DECLARE v_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_item VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_todo, v_children LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_state = NULL;
  SET p_items = CONCAT('D', p_id, ',');
  CALL tm_v1_waiting(p_id, v_todo);
  WHILE v_todo <> '' DO
    SET v_item = SUBSTRING_INDEX(v_todo, ',', 1);
    SET v_todo = SUBSTRING(v_todo, CHAR_LENGTH(v_item) + 2);
    SET v_job = SUBSTRING(v_item, 2);
    SELECT `StateName` INTO v_state FROM `{prefix}Job` WHERE `Id` = v_job FOR UPDATE;
    IF v_state = 'Awaiting' AND CONCAT(',', p_items) NOT REGEXP CONCAT(',[DE]', v_job, ',') THEN
      SET p_items = CONCAT(p_items, v_item, ',');
      IF v_item LIKE 'D%' THEN
        CALL tm_v1_waiting(v_job, v_children);
        SET v_todo = CONCAT(v_todo, v_children);
      END IF;
    END IF;
  END WHILE;
END
