-- Deletes a job; one that runs is cancelled. One that is Deleted already stays as it is.
-- Jobs that wait for it start or are deleted with it: all of them are locked before any is changed.
CREATE PROCEDURE tm_delete_v1(
  p_id BIGINT,
  p_reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
  COMMENT '{comment}'
  SQL SECURITY DEFINER
BEGIN
  DECLARE v_own BOOLEAN DEFAULT FALSE;
  DECLARE v_last BIGINT UNSIGNED DEFAULT LAST_INSERT_ID();
  DECLARE v_state VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_job BIGINT;
  DECLARE v_todo LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE v_item VARCHAR(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION
  BEGIN
    CALL tm_v1_undo(v_own);
    RESIGNAL;
  END;
  CALL tm_v1_begin(v_own);
  CALL tm_v1_lock(p_id, v_state);
  IF v_state <> 'Deleted' THEN
    CALL tm_v1_family(p_id, v_todo);
    WHILE v_todo <> '' DO
      SET v_item = SUBSTRING_INDEX(v_todo, ',', 1);
      SET v_todo = SUBSTRING(v_todo, CHAR_LENGTH(v_item) + 2);
      SET v_job = SUBSTRING(v_item, 2);
      IF v_job = p_id THEN
        CALL tm_v1_move(v_job, 'Deleted', p_reason);
      ELSEIF v_item LIKE 'D%' THEN
        CALL tm_v1_move(v_job, 'Deleted', 'Continuation condition was not met');
      ELSE
        CALL tm_v1_move(v_job, 'Enqueued', 'Triggered by its parent');
        CALL tm_v1_ring();
      END IF;
    END WHILE;
  END IF;
  CALL tm_v1_end(v_own);
  DO LAST_INSERT_ID(v_last);
END
