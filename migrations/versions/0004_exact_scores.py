"""Times of scheduled and recurring jobs that a FLOAT score had rounded to 128 seconds are exact again.

Revision 0004, after 0003. MySQL and MariaDB only. The exact times stand in State.Data and in the hash of the
recurring job, as ISO 8601 or as unix seconds or milliseconds. A score that is further off was set on purpose.
"""

from __future__ import annotations

from taskmanager.storage.migrating import current_run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Unix seconds of the text `v`: whole ones, as Hangfire writes scores.
SECONDS = """CASE
      WHEN v REGEXP '^[0-9]{1,18}$' THEN FLOOR(IF(v + 0 > 253402300799, v / 1000, v + 0))
      WHEN v REGEXP '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}' THEN
        TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', REPLACE(LEFT(v, 19), 'T', ' '))
        - CASE WHEN v REGEXP '[+][0-9]{2}:[0-9]{2}$' THEN TIME_TO_SEC(RIGHT(v, 5))
               WHEN v REGEXP 'T.*-[0-9]{2}:[0-9]{2}$' THEN -TIME_TO_SEC(RIGHT(v, 5)) ELSE 0 END
    END"""

#: FLOAT has 24 bits: the error is at most 64 s for times before 2038, and 128 s after.
REPAIR = """UPDATE {set} t JOIN (
  SELECT Id, {seconds} AS exact FROM (
    {source}
  ) texts
) times ON times.Id = t.Id
SET t.Score = times.exact
WHERE times.exact IS NOT NULL AND t.Score <> times.exact AND ABS(t.Score - times.exact) <= 128"""

#: CASE, because a WHERE does not keep MySQL from parsing a text that is not JSON, and then from stopping at it.
SCHEDULED = """SELECT s.Id, CASE WHEN JSON_VALID(st.Data) THEN JSON_UNQUOTE(
      COALESCE(JSON_EXTRACT(st.Data, '$.EnqueueAt'), JSON_EXTRACT(st.Data, '$.enqueueAt'))) END AS v
    FROM {set} s JOIN {job} j ON j.Id = CAST(SUBSTRING_INDEX(s.Value, ':', -1) AS UNSIGNED)
    JOIN {state} st ON st.Id = j.StateId
    WHERE s.`Key` = 'schedule' AND st.Name = 'Scheduled'"""

RECURRING = """SELECT s.Id, h.Value AS v
    FROM {set} s JOIN {hash} h ON h.`Key` = CONCAT('recurring-job:', s.Value) AND h.Field = 'NextExecution'
    WHERE s.`Key` = 'recurring-jobs'"""


def upgrade() -> None:
    run = current_run()
    if not run.is_mysql or (run.is_offline and not run.assumed):
        return
    names = {n: run.quote(run.name(n.capitalize())) for n in ("set", "job", "state", "hash")}
    # A text that only looks like a time becomes NULL and is passed by; in strict mode it would stop the statement.
    run.execute("SET @sql_mode_before = @@SESSION.sql_mode, SESSION sql_mode = ''")
    for words, source in (("scheduled", SCHEDULED), ("recurring", RECURRING)):
        repaired = run.execute(REPAIR.format(set=names["set"], seconds=SECONDS, source=source.format(**names)))
        if repaired:
            run.done(f"made the times of {repaired} {words} jobs exact")
    run.execute("SET SESSION sql_mode = @sql_mode_before")


def downgrade() -> None:
    """Exact times are times that FLOAT may hold: nothing to undo."""
