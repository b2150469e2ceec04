-- The one door, for the two changes SQL asks for: a job, whose row the caller has locked, enters Enqueued or Deleted.
CREATE PROCEDURE tm_v1_move(
  p_id BIGINT,
  p_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
  DECLARE v_second DATETIME DEFAULT v_now - INTERVAL MICROSECOND(v_now) MICROSECOND;
  DECLARE v_iso VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_from, v_queue, v_home VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_priority INT;
  DECLARE v_group VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  SELECT `StateName`, `Queue`, `Priority`, COALESCE(NULLIF(`Queue`, ''), 'default')
  INTO v_from, v_queue, v_priority, v_home FROM `{prefix}Job` WHERE `Id` = p_id FOR UPDATE;
  CALL tm_v1_iso(v_now, v_iso);
  IF CHAR_LENGTH(p_reason) > 100 THEN
    SET p_reason = CONCAT(LEFT(p_reason, 99), CONVERT(0xE280A6 USING utf8mb4));
  END IF;
  INSERT INTO `{prefix}State` (`JobId`, `Name`, `Reason`, `CreatedAt`, `Data`)
  VALUES (p_id, p_state, NULLIF(p_reason, ''), v_now, IF(p_state = 'Enqueued',
    CONCAT('{"EnqueuedAt": "', v_iso, '", "Queue": "', v_home, '"}'), CONCAT('{"DeletedAt": "', v_iso, '"}')));
  UPDATE `{prefix}Job`
  SET `StateId` = LAST_INSERT_ID(), `StateName` = p_state,
    `Queue` = IF(p_state = 'Enqueued', v_home, v_queue),
    `ExpireAt` = IF(p_state = 'Enqueued', NULL, v_second + INTERVAL {expiration} SECOND)
  WHERE `Id` = p_id;
  -- Who performs it finds its row gone, and stops. `DELETE t FROM`: by the unique key even of a table of few rows,
  -- where a plain DELETE may go by another index or none, and waits for rows that others hold.
  IF v_from IS NULL OR v_from IN ('Enqueued', 'Processing') THEN
    DELETE t FROM `{prefix}Job` x STRAIGHT_JOIN `{prefix}JobQueue` t ON t.`JobId` = x.`Id` WHERE x.`Id` = p_id;
  END IF;
  IF p_state = 'Enqueued' THEN
    INSERT INTO `{prefix}JobQueue` (`JobId`, `Queue`, `Priority`) VALUES (p_id, v_home, v_priority);
  END IF;
  IF v_from = 'Scheduled' THEN
    DELETE t FROM `{prefix}Set` t WHERE t.`Key` = 'schedule' AND t.`Value` = CAST(p_id AS CHAR);
    DELETE t FROM `{prefix}Set` t WHERE t.`Key` = 'schedule' AND t.`Value` = CONCAT(v_home, ':', p_id);
    DELETE t FROM `{prefix}Set` t WHERE t.`Key` = 'retries' AND t.`Value` = CAST(p_id AS CHAR);
  ELSEIF v_from = 'Awaiting' THEN
    DELETE t FROM `{prefix}Set` t WHERE t.`Key` = 'awaiting' AND t.`Value` = CAST(p_id AS CHAR);
  ELSEIF v_from = 'Failed' THEN
    SELECT MAX(`Value`) INTO v_group FROM `{prefix}JobParameter` WHERE `JobId` = p_id AND `Name` = 'FailureGroup';
    IF v_group IS NOT NULL THEN
      DELETE t FROM `{prefix}Set` t WHERE t.`Key` = CONCAT('failures:', v_group) AND t.`Value` = CAST(p_id AS CHAR);
      UPDATE `{prefix}JobParameter` SET `Value` = NULL WHERE `JobId` = p_id AND `Name` = 'FailureGroup';
    END IF;
  END IF;
  IF p_state = 'Deleted' THEN
    INSERT INTO `{prefix}Counter` (`Key`, `Value`, `ExpireAt`) VALUES
      ('stats:deleted', 1, NULL),
      (DATE_FORMAT(v_now, 'stats:deleted:%Y-%m-%d'), 1, DATE(v_now) + INTERVAL 31 DAY),
      (DATE_FORMAT(v_now, 'stats:deleted:%Y-%m-%d-%H'), 1, DATE(v_now) + INTERVAL HOUR(v_now) + 25 HOUR);
  END IF;
  IF v_from IN ('Succeeded', 'Deleted') THEN
    INSERT INTO `{prefix}Counter` (`Key`, `Value`) VALUES (CONCAT('stats:', LOWER(v_from)), -1);
  END IF;
END
