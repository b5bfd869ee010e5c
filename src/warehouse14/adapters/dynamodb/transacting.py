"""Operations that are carried out all or none, and once."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from warehouse14.adapters.dynamodb.client import answering, code_of
from warehouse14.adapters.dynamodb.table import CANCELLED, Table
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Unavailable

#: What the service says of each operation that it did not carry out.
Reasons = Sequence[Mapping[str, Any]]

#: For how long a transaction that is on its way is asked for, in seconds.
_PATIENCE = 20.0
#: What the service says of it.
_ON_ITS_WAY = "TransactionInProgressException"


def transact(
    table: Table, operations: Sequence[Mapping[str, Any]], patience: float = _PATIENCE
) -> Reasons | None:
    """Return None if all was carried out, else why not, for each operation. Raises ``Unavailable``."""
    token = uuid.uuid4().hex
    for _ in tries(patience):
        with answering():
            try:
                table.transact(operations, token)
            except ClientError as error:
                if code_of(error) == _ON_ITS_WAY:
                    # It is ours, from before an answer was lost: only its token tells how it ends.
                    continue
                reasons = _reasons(error, len(operations))
                if reasons is None:
                    raise
                return reasons
            return None
    raise Unavailable("Too many others change this site. Try again.")


def _reasons(error: ClientError, count: int) -> Reasons | None:
    """Return what the service says of each of ``count`` operations, or None if it is something else that it
    says."""
    reasons: Reasons = error.response.get("CancellationReasons", ())
    return reasons if code_of(error) == CANCELLED and len(reasons) == count else None
