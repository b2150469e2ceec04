-- Keeps a recurring job and its cron, but fires it no more until it is resumed.
CREATE PROCEDURE tm_pause_recurring_v1(p_id TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_member BIGINT;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_iso VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_pause VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_recurring(p_id, v_member);
  INSERT INTO `{prefix}Set` (`Key`, `Value`, `Score`) VALUES ('paused-recurring-jobs', p_id, 0)
  ON DUPLICATE KEY UPDATE `Score` = 0;
  CALL tm_v1_iso(UTC_TIMESTAMP(6), v_iso);
  SET v_pause = CONCAT('recurring-pause:', p_id);
  INSERT INTO `{prefix}Hash` (`Key`, `Field`, `Value`)
  VALUES (v_pause, 'By', ''), (v_pause, 'Note', ''), (v_pause, 'Since', v_iso), (v_pause, 'Until', '')
  ON DUPLICATE KEY UPDATE `Value` = IF(`Field` = 'Since', `Value`, '');
  UPDATE `{prefix}Set` SET `Score` = -1 WHERE `Id` = v_member;
  INSERT INTO `{prefix}Hash` (`Key`, `Field`, `Value`)
  VALUES (CONCAT('python:recurring-job:', p_id), 'NextExecution', '')
  ON DUPLICATE KEY UPDATE `Value` = '';
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
