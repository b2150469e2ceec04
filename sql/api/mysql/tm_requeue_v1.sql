-- Puts a job back into its own queue, whatever became of it. p_reason: kept in its history; may be NULL.
CREATE PROCEDURE tm_requeue_v1(
  p_id BIGINT,
  p_reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_lock(p_id, v_state);
  CALL tm_v1_move(p_id, 'Enqueued', p_reason);
  CALL tm_v1_ring();
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
