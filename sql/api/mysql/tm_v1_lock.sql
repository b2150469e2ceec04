-- Locks a job's row, before anything else of it is touched: everybody goes in this order.
CREATE PROCEDURE tm_v1_lock(p_id BIGINT, OUT p_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_id BIGINT;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_id = NULL;
  SELECT `Id`, `StateName` INTO v_id, p_state FROM `{prefix}Job` WHERE `Id` = p_id FOR UPDATE;
  IF v_id IS NULL THEN
    CALL tm_v1_refuse(CONCAT('there is no job ', COALESCE(p_id, 'NULL'),
      ': it never existed, or has expired; `{prefix}Job` has those there are'));
  END IF;
END
