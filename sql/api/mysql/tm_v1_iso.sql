-- A moment in UTC as all Hangfire versions read it: seven digits.
CREATE PROCEDURE tm_v1_iso(p_moment DATETIME(6), OUT p_iso VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
SET p_iso = CONCAT(DATE_FORMAT(p_moment, '%Y-%m-%dT%H:%i:%s.%f'), '0Z')
