-- Ends a transaction of our own; a procedure by itself, because a trigger may not call one that holds a COMMIT.
CREATE PROCEDURE tm_v1_commit()
  COMMENT '{comment}'
  SQL SECURITY INVOKER
COMMIT
