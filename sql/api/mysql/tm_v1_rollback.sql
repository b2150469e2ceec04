-- Undoes a transaction of our own; see tm_v1_commit.
CREATE PROCEDURE tm_v1_rollback()
  COMMENT '{comment}'
  SQL SECURITY INVOKER
ROLLBACK
