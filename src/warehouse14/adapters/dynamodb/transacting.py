"""Operations that are carried out all or none, and once."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.dynamodb.client import ON_ITS_WAY, answering, code_of
from warehouse14.adapters.dynamodb.table import CANCELLED, MEET_OTHERS, Table
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Unavailable

#: What the service says of an operation whose condition does not hold, and of one that is in order.
REFUSED, _FINE = "ConditionalCheckFailed", "None"
#: For how long a transaction that is on its way is asked for, in seconds.
_PATIENCE = 20.0


def transact(
    table: Table, operations: Sequence[Mapping[str, Any]], patience: float = _PATIENCE
) -> Sequence[str] | None:
    """Return None if all was carried out, else why not, for each operation: its condition does not hold, or
    it meets others. Raises ``Unavailable``, also for any other reason."""
    token = uuid.uuid4().hex
    for _ in tries(patience):
        with answering():
            try:
                table.transact(operations, token)
            except ClientError as error:
                if code_of(error) == ON_ITS_WAY:
                    # It is ours, from before an answer was lost: only its token tells how it ends.
                    continue
                codes = _codes(error, len(operations))
                if codes is None:
                    raise
                return codes
            return None
    raise Unavailable("Too many others change this site. Try again.")


def _codes(error: ClientError, count: int) -> Sequence[str] | None:
    """Return what the service says of each of ``count`` operations, or None if it is something else that it
    says. Raises ``Unavailable`` for a reason that does not pass."""
    reasons: Sequence[Mapping[str, str]] = error.response.get("CancellationReasons", ())
    if code_of(error) != CANCELLED or len(reasons) != count:
        return None
    codes = [reason.get("Code", _FINE) for reason in reasons]
    unknown = {*codes} - {_FINE, REFUSED} - MEET_OTHERS
    if unknown:
        detail = ", ".join(sorted(unknown))
        raise Unavailable("The database refuses the change. Try again.", detail=detail)
    return codes
