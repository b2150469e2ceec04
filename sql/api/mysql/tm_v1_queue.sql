-- The name of a queue, checked; NULL means `default`.
CREATE PROCEDURE tm_v1_queue(INOUT p_queue TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  SET p_queue = COALESCE(p_queue, 'default');
  IF CHAR_LENGTH(p_queue) NOT BETWEEN 1 AND 50 OR p_queue REGEXP '[^a-z0-9_-]' THEN
    CALL tm_v1_refuse(CONCAT('queue ', QUOTE(LEFT(p_queue, 30)),
      ': a queue name has 1 to 50 of the characters a-z, 0-9, _ and -'));
  END IF;
END
