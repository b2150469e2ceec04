-- All or nothing, in the caller's transaction (a savepoint) or, when there is none, in one of our own (p_own).
CREATE PROCEDURE tm_v1_begin(OUT p_own BOOLEAN)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  BEGIN
    DECLARE CONTINUE HANDLER FOR 1422 SET p_own = FALSE;
    CALL tm_v1_open(p_own);
  END;
  IF NOT p_own THEN
    SAVEPOINT tm_v1;
  END IF;
END
