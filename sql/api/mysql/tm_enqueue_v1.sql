-- Enqueues a job. p_job: module:function or module.function; p_arguments: a JSON array of values; p_id: its new id.
CREATE PROCEDURE tm_enqueue_v1(
  p_job TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_arguments LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  p_queue TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  OUT p_id BIGINT
)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_invocation, v_stored LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_queue(p_queue);
  CALL tm_v1_call(p_job, p_arguments, v_invocation, v_stored);
  CALL tm_v1_add(v_invocation, v_stored, p_queue, 0, NULL, NULL, p_id);
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
