-- The one door, for the two changes SQL asks for: a job, whose row the caller has locked, enters Enqueued or Deleted.
CREATE OR REPLACE FUNCTION tm_v1_move(p_id bigint, p_state text, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamp := timezone('utc', clock_timestamp());
  v_iso text := tm_v1_iso(v_now);
  v_job "{prefix}Job"%ROWTYPE;
  v_home text;
  v_state_id bigint;
  v_group text;
BEGIN
  SELECT * INTO STRICT v_job FROM "{prefix}Job" WHERE "Id" = p_id FOR UPDATE;
  v_home := COALESCE(NULLIF(v_job."Queue", ''), 'default');
  IF char_length(p_reason) > 100 THEN
    p_reason := left(p_reason, 99) || U&'\2026';
  END IF;
  INSERT INTO "{prefix}State" ("JobId", "Name", "Reason", "CreatedAt", "Data")
  VALUES (p_id, p_state, NULLIF(p_reason, ''), v_now, CASE p_state WHEN 'Enqueued'
    THEN '{"EnqueuedAt": "' || v_iso || '", "Queue": "' || v_home || '"}' ELSE '{"DeletedAt": "' || v_iso || '"}' END)
  RETURNING "Id" INTO v_state_id;
  UPDATE "{prefix}Job"
  SET "StateId" = v_state_id, "StateName" = p_state,
    "Queue" = CASE p_state WHEN 'Enqueued' THEN v_home ELSE v_job."Queue" END,
    "ExpireAt" = CASE p_state WHEN 'Deleted' THEN date_trunc('second', v_now) + interval '{expiration} seconds' END
  WHERE "Id" = p_id;
  -- Who performs it finds its row gone, and stops.
  IF v_job."StateName" IS NULL OR v_job."StateName" IN ('Enqueued', 'Processing') THEN
    DELETE FROM "{prefix}JobQueue" WHERE "JobId" = p_id;
  END IF;
  IF p_state = 'Enqueued' THEN
    INSERT INTO "{prefix}JobQueue" ("JobId", "Queue", "Priority") VALUES (p_id, v_home, v_job."Priority");
  END IF;
  IF v_job."StateName" = 'Scheduled' THEN
    DELETE FROM "{prefix}Set" WHERE "Key" = 'schedule' AND "Value" IN (p_id::text, v_home || ':' || p_id);
    DELETE FROM "{prefix}Set" WHERE "Key" = 'retries' AND "Value" = p_id::text;
  ELSIF v_job."StateName" = 'Awaiting' THEN
    DELETE FROM "{prefix}Set" WHERE "Key" = 'awaiting' AND "Value" = p_id::text;
  ELSIF v_job."StateName" = 'Failed' THEN
    SELECT "Value" INTO v_group FROM "{prefix}JobParameter" WHERE "JobId" = p_id AND "Name" = 'FailureGroup';
    IF v_group IS NOT NULL THEN
      DELETE FROM "{prefix}Set" WHERE "Key" = 'failures:' || v_group AND "Value" = p_id::text;
      UPDATE "{prefix}JobParameter" SET "Value" = NULL WHERE "JobId" = p_id AND "Name" = 'FailureGroup';
    END IF;
  END IF;
  IF p_state = 'Deleted' THEN
    INSERT INTO "{prefix}Counter" ("Key", "Value", "ExpireAt") VALUES
      ('stats:deleted', 1, NULL),
      ('stats:deleted:' || to_char(v_now, 'YYYY-MM-DD'), 1, date_trunc('day', v_now) + interval '31 days'),
      ('stats:deleted:' || to_char(v_now, 'YYYY-MM-DD-HH24'), 1, date_trunc('hour', v_now) + interval '25 hours');
  END IF;
  IF v_job."StateName" IN ('Succeeded', 'Deleted') THEN
    INSERT INTO "{prefix}Counter" ("Key", "Value") VALUES ('stats:' || lower(v_job."StateName"), -1);
  END IF;
END
$$
