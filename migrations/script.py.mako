"""${message}

Revision ${up_revision}, after ${down_revision or "nothing"}; made on ${create_date.date()}.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from taskmanager.storage.migrating import current_run

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    run = current_run()
    # Look first, then do: on MySQL a crash may leave any step done and the revision not recorded.
    ${upgrades.strip() if upgrades and upgrades.strip() != "pass" else 'if not run.has_column(run.name("Job"), "New"):'}
        op.add_column(run.name("Job"), sa.Column("New", sa.String(20)))
        run.done(f"added column {run.name('Job')}.New")


def downgrade() -> None:
    raise NotImplementedError("a migration only adds; what nobody uses any more is removed by a later one")
