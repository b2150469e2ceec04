"""Tables that Hangfire.MySqlStorage 2.x made are widened in place to the shape of 0001; their rows stay.

Revision 0003, after 0002. MySQL and MariaDB only. Tables that 0001 made are found as they should be.
Not touched: the table JobState, which nothing reads (but for its foreign key's column), and all other tables.
"""

from __future__ import annotations

from taskmanager.storage import altering, shape, shape_notation
from taskmanager.storage.altering import ForeignKey
from taskmanager.storage.migrating import current_run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

#: As 0001 makes them, and the one column of JobState that must follow the type of Job.Id.
WANTED = """
Job
  Id bigint numbered
  StateId bigint null
  StateName varchar(20) null
  InvocationData longtext
  Arguments longtext
  CreatedAt datetime(6)
  ExpireAt datetime(6) null
  Queue varchar(50) null
  Priority integer default=0
  EnqueueKey varchar(64) null ascii
  primary Id
  index IX_{prefix}Job_StateName StateName Id
  index IX_{prefix}Job_ExpireAt ExpireAt
  unique UX_{prefix}Job_EnqueueKey EnqueueKey
JobParameter
  Id bigint numbered
  JobId bigint
  Name varchar(40)
  Value longtext null
  primary Id
  unique IX_{prefix}JobParameter_JobId_Name JobId Name
State
  Id bigint numbered
  JobId bigint
  Name varchar(20)
  Reason varchar(100) null
  CreatedAt datetime(6)
  Data longtext null
  primary Id
  index IX_{prefix}State_JobId JobId Id
JobState
  JobId bigint
JobLog
  Id bigint numbered
  JobId bigint
  Attempt integer default=1
  CreatedAt datetime(6)
  Lines longtext
  primary Id
  index IX_{prefix}JobLog_JobId JobId Id
JobQueue
  Id bigint numbered
  JobId bigint
  FetchedAt datetime(6) null
  Queue varchar(50)
  FetchToken varchar(64) null
  Priority integer default=0
  primary Id
  index IX_{prefix}JobQueue_Claim Queue FetchedAt Priority Id
  index IX_{prefix}JobQueue_FetchToken FetchToken
  index IX_{prefix}JobQueue_JobId JobId
Server
  Id varchar(200)
  Data longtext
  LastHeartbeat datetime(6) null
  primary Id
Set
  Id bigint numbered
  Key varchar(100)
  Value varchar(256)
  Score double
  ExpireAt datetime(6) null
  primary Id
  unique IX_{prefix}Set_Key_Value Key Value
  index IX_{prefix}Set_Key_Score Key Score
  index IX_{prefix}Set_ExpireAt ExpireAt
Hash
  Id bigint numbered
  Key varchar(100)
  Field varchar(100)
  Value longtext null
  ExpireAt datetime(6) null
  primary Id
  unique IX_{prefix}Hash_Key_Field Key Field
  index IX_{prefix}Hash_ExpireAt ExpireAt
List
  Id bigint numbered
  Key varchar(100)
  Value longtext null
  ExpireAt datetime(6) null
  primary Id
  index IX_{prefix}List_Key Key Id
  index IX_{prefix}List_ExpireAt ExpireAt
Counter
  Id bigint numbered
  Key varchar(100)
  Value bigint
  ExpireAt datetime(6) null
  primary Id
  index IX_{prefix}Counter_Key Key
AggregatedCounter
  Id bigint numbered
  Key varchar(100)
  Value bigint
  ExpireAt datetime(6) null
  primary Id
  unique IX_{prefix}CounterAggregated_Key Key
  index IX_{prefix}AggregatedCounter_ExpireAt ExpireAt
DistributedLock
  Id bigint numbered
  Resource varchar(100)
  CreatedAt datetime(6)
  primary Id
  index IX_{prefix}DistributedLock_Resource Resource CreatedAt
"""

#: What Hangfire.MySqlStorage 2.x leaves behind on an empty database; assumed when SQL is written without looking.
HANGFIRE_MYSQLSTORAGE_2 = """
Job
  Id integer numbered
  StateId integer null
  StateName varchar(20) null
  InvocationData longtext
  Arguments longtext
  CreatedAt datetime(6)
  ExpireAt datetime(6) null
  primary Id
  index IX_{prefix}Job_StateName StateName
JobParameter
  Id integer numbered
  JobId integer
  Name varchar(40)
  Value longtext null
  primary Id
  unique IX_{prefix}JobParameter_JobId_Name JobId Name
  index FK_{prefix}JobParameter_Job JobId
State
  Id integer numbered
  JobId integer
  Name varchar(20)
  Reason varchar(100) null
  CreatedAt datetime(6)
  Data longtext null
  primary Id
  index FK_{prefix}HangFire_State_Job JobId
JobState
  Id integer numbered
  JobId integer
  primary Id
JobQueue
  Id integer numbered
  JobId integer
  FetchedAt datetime(6) null
  Queue varchar(50)
  FetchToken varchar(36) null
  primary Id
  index IX_{prefix}JobQueue_QueueAndFetchedAt Queue FetchedAt
Server
  Id varchar(100)
  Data longtext
  LastHeartbeat datetime(6) null
  primary Id
Set
  Id integer numbered
  Key varchar(100)
  Value varchar(256)
  Score float
  ExpireAt datetime null
  primary Id
  unique IX_{prefix}Set_Key_Value Key Value
Hash
  Id integer numbered
  Key varchar(100)
  Field varchar(40)
  Value longtext null
  ExpireAt datetime(6) null
  primary Id
  unique IX_{prefix}Hash_Key_Field Key Field
List
  Id integer numbered
  Key varchar(100)
  Value longtext null
  ExpireAt datetime(6) null
  primary Id
Counter
  Id integer numbered
  Key varchar(100)
  Value integer
  ExpireAt datetime null
  primary Id
  index IX_{prefix}Counter_Key Key
AggregatedCounter
  Id integer numbered
  Key varchar(100)
  Value integer
  ExpireAt datetime null
  primary Id
  unique IX_{prefix}CounterAggregated_Key Key
DistributedLock
  Resource varchar(100)
  CreatedAt datetime(6)
"""

#: Two indexes on the queue that begin alike would let the optimizer choose the one that needs a filesort, under
#: which a claim locks every waiting row.
SUPERSEDED = ("IX_{prefix}JobQueue_QueueAndFetchedAt",)


def upgrade() -> None:
    run = current_run()
    if not run.is_mysql:
        return
    wanted = shape_notation.parse(WANTED, run.prefix, "utf8mb4_bin")
    there = run.shapes(wanted)
    altering.widen(
        run,
        wanted,
        there,
        _foreign_keys(run.prefix, there),
        superseded=[name.format(prefix=run.prefix) for name in SUPERSEDED],
    )


def downgrade() -> None:
    raise NotImplementedError("narrowing could lose rows; the .NET storage works on the wider tables as they are")


def _foreign_keys(prefix: str, there: dict[str, shape.TableShape]) -> list[ForeignKey]:
    run = current_run()
    if run.connection is not None:
        return altering.foreign_keys(run.connection, list(there))
    if run.foreign is not None:
        return run.foreign
    names = {"JobParameter": "JobParameter_Job", "State": "HangFire_State_Job", "JobState": "JobState_Job"}
    return [
        ForeignKey(f"FK_{prefix}{name}", prefix + table, "JobId", f"{prefix}Job", "Id")
        for table, name in names.items()
        if prefix + table in there
    ]
