"""Names that one unit holds at a time, by an item that says who does."""

import time
import uuid
from contextlib import suppress

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.client import FAILURES, answering, code_of
from warehouse14.adapters.dynamodb.moment import Moment
from warehouse14.adapters.dynamodb.rows import at
from warehouse14.adapters.dynamodb.table import Table, delete, put
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Unavailable

#: How long a name is held at most, in seconds: whoever was killed does not hold it for ever. A unit that
#: takes longer does not commit.
_LONGEST = 10
#: How far the clocks of two machines may be apart, in seconds.
_SKEW = 2
#: How long the taking of a name may last, in seconds: boto3 asks again in the same words, with the end of the
#: first time, and whoever holds a name counts on it from then on.
_PROMPT = 1.0

#: What the service says of a single write: that its condition does not hold, and that a transaction which is
#: on its way has the item in its hands.
REFUSED, IN_OTHER_HANDS = "ConditionalCheckFailedException", "TransactionConflictException"


def hold(table: Table, moment: Moment, name: str) -> None:
    """Let no other unit hold ``name`` until :func:`release`. Raises ``Unavailable``."""
    key, holder, is_taken = keys.hold(name), uuid.uuid4().hex, False
    for _ in tries(moment.patience_of_hold()):
        now, began = int(time.time()), time.monotonic()
        item = at(key, holder=holder, held=now + _LONGEST, ttl=now + 2 * _LONGEST)
        # Ours where an answer was lost and the request was made again.
        free = "attribute_not_exists(pk) OR held < :now OR holder = :holder"
        is_taken = _taken(table, put(item, free, now=now - _SKEW, holder=holder))
        if not is_taken:
            continue
        moment.held[key] = holder
        if time.monotonic() - began <= _PROMPT:
            # What is read from now on is no older.
            moment.kept.clear()
            return
    if is_taken:
        raise Unavailable("The database is too slow. Try again.")
    raise Unavailable(f"Another works on {name}. Try again.")


def release(table: Table, moment: Moment) -> None:
    """Let others hold what a unit held. A name that cannot be let go of is free after a while."""
    for key, holder in moment.held.items():
        with suppress(*FAILURES):
            table.write(delete(key, "holder = :holder", holder=holder))


def _taken(table: Table, operation: dict[str, object]) -> bool:
    with answering():
        try:
            table.write(operation)
        except FAILURES as error:
            if code_of(error) not in {REFUSED, IN_OTHER_HANDS}:
                raise
            return False
    return True
