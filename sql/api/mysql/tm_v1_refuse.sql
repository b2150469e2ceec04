-- Ends a call with a clear text; 128 characters is what MySQL takes.
CREATE PROCEDURE tm_v1_refuse(p_text TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  SET p_text = LEFT(p_text, 128);
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = p_text;
END
