"""Failed attempts in a table."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.moment import Moment
from warehouse14.adapters.dynamodb.table import delete, put, update
from warehouse14.domain.errors import Conflict
from warehouse14.domain.model import Failures

#: After how long a count may be removed by the service itself, in seconds: none is asked for that long.
_KEPT = 30 * 86400


class DynamoAttempts:
    """Implements ``Attempts``."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def of(self, names: Sequence[str]) -> Mapping[str, Failures]:
        """See the port."""
        found = self._moment.table.get_many(map(keys.attempts, names))
        return {item["sk"]: Failures(item["c"], rows.known(item["last_at"])) for item in found.values()}

    def count(self, key: str, at: datetime, *, since: datetime, expected: int) -> None:
        """See the port."""
        as_expected = "c = :expected AND last_at >= :since"
        if expected == 0:
            as_expected = "attribute_not_exists(pk) OR last_at < :since OR c = :expected"
        # By the clock of the service, which removes what is over by that.
        ends = int(time.time()) + _KEPT
        item = rows.at(keys.attempts(key), c=expected + 1, last_at=rows.written(at), ttl=ends)
        counted = put(item, as_expected, expected=expected, since=rows.written(since))
        self._moment.touch(counted, Conflict("attempts", key))

    def take_back(self, key: str, at: datetime, before: datetime) -> None:
        """See the port."""
        place = keys.attempts(key)
        one_less = update(place, "SET c = c - :one", "c > :none", one=1, none=0)
        and_earlier = update(
            place,
            "SET c = c - :one, last_at = :earlier",
            "c > :none AND last_at = :at",
            one=1,
            none=0,
            earlier=rows.written(before),
            at=rows.written(at),
        )
        self._moment.touch(and_earlier, instead=one_less)

    def clear(self, key: str) -> None:
        """See the port."""
        self._moment.touch(delete(keys.attempts(key)))

    def forget(self, before: datetime) -> None:
        """See the port."""

        def early() -> list[list[keys.Key]]:
            values = {"before": rows.written(before)}
            found = self._moment.table.query(keys.ATTEMPTS, only="last_at < :before", values=values)
            return [[(item["pk"], item["sk"]) for item in found]]

        self._moment.sweep(early)
