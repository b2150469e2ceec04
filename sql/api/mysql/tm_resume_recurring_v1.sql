-- Fires a recurring job again, from the next slot on. SQL knows no cron: the job is made due, and as it
-- has been resumed now, a scheduler finds no slot that was missed, and writes the next one.
CREATE PROCEDURE tm_resume_recurring_v1(p_id TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_member BIGINT;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
  DECLARE v_iso VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_recurring(p_id, v_member);
  CALL tm_v1_iso(v_now, v_iso);
  SET v_key = CONCAT('python:recurring-job:', p_id);
  DELETE t FROM `{prefix}Set` t WHERE t.`Key` = 'paused-recurring-jobs' AND t.`Value` = p_id;
  DELETE t FROM `{prefix}Hash` t WHERE t.`Key` = CONCAT('recurring-pause:', p_id);
  UPDATE `{prefix}Set` SET `Score` = TIMESTAMPDIFF(MICROSECOND, '1970-01-01', v_now) / 1e6
  WHERE `Id` = v_member;
  INSERT INTO `{prefix}Hash` (`Key`, `Field`, `Value`)
  VALUES (v_key, 'Error', ''), (v_key, 'ResumedAt', v_iso), (v_key, 'NextExecution', v_iso)
  ON DUPLICATE KEY UPDATE `Value` = VALUES(`Value`);
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
