-- Writes a new job: Enqueued, or Scheduled when p_at is given. The program's rows, in the program's order.
CREATE OR REPLACE FUNCTION tm_v1_add(
  p_invocation text, p_stored text, p_queue text, p_priority int, p_at timestamp, p_reason text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamp := timezone('utc', clock_timestamp());
  v_iso text := tm_v1_iso(v_now);
  v_state text := CASE WHEN p_at IS NULL THEN 'Enqueued' ELSE 'Scheduled' END;
  v_id bigint;
  v_state_id bigint;
BEGIN
  INSERT INTO "{prefix}Job"
    ("StateName", "InvocationData", "Arguments", "CreatedAt", "Queue", "Priority", "EnqueueKey")
  VALUES (v_state, p_invocation, p_stored, v_now, p_queue, p_priority,
    lpad(to_hex(floor(extract(epoch FROM v_now) * 1000)::bigint), 12, '0')
    || right(replace(gen_random_uuid()::text, '-', ''), 20) || '-000000')
  RETURNING "Id" INTO v_id;
  INSERT INTO "{prefix}State" ("JobId", "Name", "Reason", "CreatedAt", "Data")
  VALUES (v_id, v_state, p_reason, v_now, CASE WHEN p_at IS NULL
    THEN '{"EnqueuedAt": "' || v_iso || '", "Queue": "' || p_queue || '"}'
    ELSE '{"EnqueueAt": "' || tm_v1_iso(p_at) || '", "ScheduledAt": "' || v_iso || '"}' END)
  RETURNING "Id" INTO v_state_id;
  UPDATE "{prefix}Job" SET "StateId" = v_state_id WHERE "Id" = v_id;
  IF p_at IS NULL THEN
    INSERT INTO "{prefix}JobQueue" ("JobId", "Queue", "Priority") VALUES (v_id, p_queue, p_priority);
    PERFORM tm_v1_ring();
  ELSE
    INSERT INTO "{prefix}Set" ("Key", "Value", "Score")
    VALUES ('schedule', p_queue || ':' || v_id, extract(epoch FROM p_at));
  END IF;
  RETURN v_id;
END
$$
