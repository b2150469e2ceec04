-- As tm_enqueue_v1, to run at a moment; p_at is in UTC.
CREATE PROCEDURE tm_schedule_v1(
  p_job TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_arguments LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_queue TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_at DATETIME(6),
  OUT p_id BIGINT
)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_invocation, v_stored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_queue(p_queue);
  CALL tm_v1_call(p_job, p_arguments, v_invocation, v_stored);
  IF p_at IS NULL THEN
    CALL tm_v1_refuse(CONCAT('the moment of ', LEFT(p_job, 50), ' is NULL: give it in UTC, as UTC_TIMESTAMP() + INTERVAL 1 HOUR'));
  END IF;
  CALL tm_v1_add(v_invocation, v_stored, p_queue, 0, p_at, NULL, p_id);
  INSERT INTO `{prefix}JobParameter` (`JobId`, `Name`, `Value`) VALUES (p_id, 'Delayed', '1');
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
