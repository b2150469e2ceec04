-- Wakes workers that sleep. Who is not reached (another user's, another node's, gone) looks by himself soon.
-- The rows of one statement or loop share a ring: for 5 ms nobody is rung again.
CREATE PROCEDURE tm_v1_ring()
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
  DECLARE v_rang DATETIME(6) DEFAULT @tm_v1_rang;
  DECLARE v_member VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_connection BIGINT UNSIGNED;
  DECLARE v_over BOOLEAN DEFAULT v_now BETWEEN v_rang AND v_rang + INTERVAL 5000 MICROSECOND;
  DECLARE c_bells CURSOR FOR SELECT `Value` FROM `{prefix}Set` WHERE `Key` = 'doorbells';
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_over = TRUE;
  SET v_over = COALESCE(v_over, FALSE);
  IF NOT v_over THEN
    SET @tm_v1_rang = v_now;
    OPEN c_bells;
    FETCH c_bells INTO v_member;
    WHILE NOT v_over DO
      IF v_member REGEXP '^[1-9][0-9]{0,17}:' THEN
        BEGIN
          DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
          SET v_connection = SUBSTRING_INDEX(v_member, ':', 1);
          KILL QUERY v_connection;
        END;
      END IF;
      FETCH c_bells INTO v_member;
    END WHILE;
    CLOSE c_bells;
  END IF;
END
