-- Begins a transaction when the caller has none. Within a transaction SET TRANSACTION is refused with error 1568: that
-- is how one is noticed. Of a trigger or function all of this procedure is refused (1422): see tm_v1_begin.
CREATE PROCEDURE tm_v1_open(OUT p_own BOOLEAN)
  COMMENT '{comment}'
  SQL SECURITY INVOKER
BEGIN
  DECLARE CONTINUE HANDLER FOR 1568 SET p_own = FALSE;
  SET p_own = @@autocommit;
  IF p_own THEN
    -- As the program's own connections: at REPEATABLE READ gaps would be locked, and other producers wait.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
  END IF;
  IF p_own THEN
    START TRANSACTION;
  END IF;
END
