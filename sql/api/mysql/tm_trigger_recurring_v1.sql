-- Runs a recurring job now, once, paused or not; its schedule goes on as it was. p_job: the id of the new job.
CREATE PROCEDURE tm_trigger_recurring_v1(
  p_id TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_job BIGINT
)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_member BIGINT;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_key VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_definition, v_types, v_stored, v_invocation LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_queue VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_priority VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_recurring(p_id, v_member);
  SET v_key = CONCAT('python:recurring-job:', p_id);
  SELECT MAX(IF(`Field` = 'Job', `Value`, NULL)), MAX(IF(`Field` = 'Queue', `Value`, NULL)),
    MAX(IF(`Field` = 'Priority', `Value`, NULL))
  INTO v_definition, v_queue, v_priority FROM `{prefix}Hash` WHERE `Key` = v_key;
  IF NOT COALESCE(JSON_VALID(v_definition), FALSE) THEN
    SET v_definition = '{}';
  END IF;
  IF JSON_EXTRACT(v_definition, '$.t') IS NULL OR JSON_EXTRACT(v_definition, '$.m') IS NULL THEN
    CALL tm_v1_refuse(CONCAT('the definition of recurring job ', QUOTE(LEFT(p_id, 40)),
      ' cannot be read: write it anew, by `taskmanager recurring add`'));
  END IF;
  CALL tm_v1_compact(COALESCE(JSON_EXTRACT(v_definition, '$.p'), '[]'), FALSE, v_types);
  CALL tm_v1_compact(COALESCE(JSON_EXTRACT(v_definition, '$.a'), '[]'), FALSE, v_stored);
  CALL tm_v1_invocation(JSON_UNQUOTE(JSON_EXTRACT(v_definition, '$.t')),
    JSON_UNQUOTE(JSON_EXTRACT(v_definition, '$.m')), v_types, v_stored, v_invocation);
  CALL tm_v1_add(v_invocation, v_stored, COALESCE(NULLIF(v_queue, ''), 'default'),
    IF(v_priority REGEXP '^-?[0-9]+$', v_priority, 0), NULL, 'Triggered using recurring job manager', p_job);
  INSERT INTO `{prefix}JobParameter` (`JobId`, `Name`, `Value`) VALUES
    (p_job, 'RecurringJobId', JSON_QUOTE(p_id)),
    (p_job, 'Time', TIMESTAMPDIFF(SECOND, '1970-01-01', UTC_TIMESTAMP())),
    (p_job, 'TriggeredBy', '"Manual"');
  INSERT INTO `{prefix}Hash` (`Key`, `Field`, `Value`) VALUES (v_key, 'LastJobId', p_job)
  ON DUPLICATE KEY UPDATE `Value` = p_job;
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
