-- The call has done its work: its own transaction is committed; the caller's stays the caller's.
CREATE PROCEDURE tm_v1_end(p_own BOOLEAN)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  IF p_own THEN
    CALL tm_v1_commit();
  ELSE
    RELEASE SAVEPOINT tm_v1;
  END IF;
END
