-- The call failed: nothing of it stays, whatever the caller does next. After a deadlock there is no savepoint (1305).
CREATE PROCEDURE tm_v1_undo(p_own BOOLEAN)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE CONTINUE HANDLER FOR 1305 BEGIN END;
  IF p_own THEN
    CALL tm_v1_rollback();
  ELSE
    ROLLBACK TO SAVEPOINT tm_v1;
  END IF;
END
