"""Types of jobs that no registry has to know: what stored jobs call."""

from __future__ import annotations

from taskmanager.domain.paused import CALL, type_of
from taskmanager.storage.containing import pattern
from taskmanager.storage.dialects import Product
from taskmanager.storage.statements import statement
from taskmanager.storage.tables import Tables
from taskmanager.storage.transaction import Tx

#: So many of the newest jobs are looked through.
LOOKED = 100_000
_MOST = 200


@statement
def calls_containing(t: Tables, p: Product) -> str:
    """What those of the newest jobs call that have a text in their call."""
    q, data = p.quote, f"j.{p.quote('InvocationData')}"
    newest = f"SELECT {q('Id')} FROM {q(t.job.name)} ORDER BY {q('Id')} DESC LIMIT {LOOKED}"
    call = f"SUBSTR({data}, 1, {CALL})"
    return (
        f"SELECT {call} FROM ({newest}) n JOIN {q(t.job.name)} j ON j.{q('Id')} = n.{q('Id')} "
        f"WHERE {p.contains(data, 'text')} LIMIT {_MOST}"
    )


def named(tx: Tx, name: str) -> list[str]:
    """Types of stored jobs that are called so, in full (`module:function`) or by their last part."""
    text = name.rpartition(":")[2]
    calls = (str(r[0]) for r in tx.execute(calls_containing, {"text": pattern(text)}))
    kinds = {type_of(call) for call in calls}
    return [name] if name in kinds else sorted(one for one in kinds if one.endswith(f":{name}"))
