-- Writes a new job: Enqueued, or Scheduled when p_at is given. The program's rows, in the program's order.
CREATE PROCEDURE tm_v1_add(
  p_invocation LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_stored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_queue VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_priority INT,
  p_at DATETIME(6),
  p_reason VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_id BIGINT
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
  DECLARE v_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT IF(p_at IS NULL, 'Enqueued', 'Scheduled');
  DECLARE v_now_iso, v_at_iso VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  CALL tm_v1_iso(v_now, v_now_iso);
  CALL tm_v1_iso(p_at, v_at_iso);
  INSERT INTO `{prefix}Job`
    (`StateName`, `InvocationData`, `Arguments`, `CreatedAt`, `Queue`, `Priority`, `EnqueueKey`)
  VALUES (v_state, p_invocation, p_stored, v_now, p_queue, p_priority, CONCAT(
    LPAD(LOWER(HEX(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', v_now) DIV 1000)), 12, '0'),
    LEFT(SHA2(CONCAT(UUID(), '/', RAND()), 256), 20), '-000000'));
  SET p_id = LAST_INSERT_ID();
  INSERT INTO `{prefix}State` (`JobId`, `Name`, `Reason`, `CreatedAt`, `Data`)
  VALUES (p_id, v_state, p_reason, v_now, IF(p_at IS NULL,
    CONCAT('{"EnqueuedAt": "', v_now_iso, '", "Queue": "', p_queue, '"}'),
    CONCAT('{"EnqueueAt": "', v_at_iso, '", "ScheduledAt": "', v_now_iso, '"}')));
  UPDATE `{prefix}Job` SET `StateId` = LAST_INSERT_ID() WHERE `Id` = p_id;
  IF p_at IS NULL THEN
    INSERT INTO `{prefix}JobQueue` (`JobId`, `Queue`, `Priority`) VALUES (p_id, p_queue, p_priority);
    CALL tm_v1_ring();
  ELSE
    INSERT INTO `{prefix}Set` (`Key`, `Value`, `Score`)
    VALUES ('schedule', CONCAT(p_queue, ':', p_id), TIMESTAMPDIFF(MICROSECOND, '1970-01-01', p_at) / 1e6);
  END IF;
END
