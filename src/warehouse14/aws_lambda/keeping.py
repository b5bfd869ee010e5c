"""``warehouse14.aws_lambda.upkeep``: collects, checks, and takes in what was left, for a schedule."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from warehouse14.aws_lambda import Handler
from warehouse14.aws_lambda.opening import one_line, open_site
from warehouse14.aws_lambda.receiving import Tally
from warehouse14.domain.services.incoming import UNHANDLED, Taken
from warehouse14.domain.services.upkeep import Loose, Report
from warehouse14.domain.warehouse import Warehouse
from warehouse14.logs import FIELDS, REQUEST

_log = logging.getLogger(__name__)

#: What is left of the function's time for the summary, in milliseconds, and for the item that was begun.
_RESERVE = 10_000

#: The parts of the function's time after which a check gives way to files that were put into the bucket, and
#: after which none of those is begun: what is left of them comes the next time, and the check goes on.
_CHECK_FIRST, _FILES_UNTIL = 0.25, 0.5

Item = TypeVar("Item")
Summary = dict[str, int | bool]


class DamagedError(Exception):
    """Files that are listed cannot be downloaded as they were published; the log has which."""


class UnfinishedError(Exception):
    """The function's time was not enough."""


def make_handler() -> Handler:
    """Return the handler; a site that cannot be opened ends the process with one line."""
    with one_line():
        warehouse = open_site().assembly.warehouse
    return UpkeepHandler(warehouse)


class UpkeepHandler:
    """Collects what nobody refers to, looks whether every listed file has its bytes, and takes in files whose
    events came to nothing: last, as one of those may end the process."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def __call__(self, event: Mapping[str, Any], context: Any) -> Summary:  # noqa: ARG002
        """Return what was done, which is in the log, too.

        Raises ``DamagedError`` if a listed file is damaged, ``UnfinishedError`` if the time of the function
        ends before, ``WaitingError`` if a file could not be taken in, and ``Conflict`` if the database looks
        lost.
        """
        named = REQUEST.set(context.aws_request_id)
        try:
            return self._keep(_Clock(context.get_remaining_time_in_millis))
        finally:
            REQUEST.reset(named)

    def _keep(self, clock: "_Clock") -> Summary:
        collected = Counter(loose.is_left for loose in clock.while_time(self._collected()))
        found, tally, reports = _Counts(), Tally(), self._warehouse.upkeep.check()
        for report in clock.while_time(reports, share=_CHECK_FIRST, goes_on=True):
            found.take(report)
        for taken in self._left_waiting(clock):
            tally.take(taken)
        for report in clock.while_time(reports):
            found.take(report)
        loose = {"removed": collected[False], "left": collected[True]}
        arrived = tally.summary if self._warehouse.incoming.is_open else {}
        summary: Summary = {**arrived, **loose, **found.summary, "complete": not clock.is_over}
        _log.info("upkeep", extra={FIELDS: summary})
        if found.damaged:
            raise DamagedError(f"damaged files: {found.damaged}; the log of this run has their keys")
        if clock.is_over:
            raise UnfinishedError("the function's time was not enough: give it more, up to 15 minutes")
        tally.require_all()
        return summary

    def _left_waiting(self, clock: "_Clock") -> Iterator[Taken]:
        """Take in what lies there unhandled, unless the site changes nothing for now, or takes no files."""
        if self._warehouse.policy.read_only or not self._warehouse.incoming.is_open:
            return iter(())
        left = self._warehouse.incoming.take_all(older_than=UNHANDLED)
        return clock.while_time(left, share=_FILES_UNTIL)

    def _collected(self) -> Iterator[Loose]:
        """Remove what nobody refers to, unless the site changes nothing for now."""
        return iter(()) if self._warehouse.policy.read_only else self._warehouse.upkeep.collect()


class _Clock:
    """The time that a function has.

    Attributes:
        is_over: whether it was not enough for something.
    """

    def __init__(self, left: Callable[[], int]) -> None:
        self._left = left
        self._whole = left()
        self.is_over = False

    def while_time(
        self, items: Iterable[Item], *, share: float = 1.0, goes_on: bool = False
    ) -> Iterator[Item]:
        """Return the items for which there is time, until a share of the whole has passed; ``goes_on`` is
        whether the others come later."""
        reserve = max(_RESERVE, self._whole * (1 - share))
        if self._has_time(reserve, goes_on=goes_on):
            for item in items:
                yield item
                if not self._has_time(reserve, goes_on=goes_on):
                    return

    def _has_time(self, reserve: float, *, goes_on: bool) -> bool:
        is_left = self._left() >= reserve
        self.is_over = self.is_over or not (is_left or goes_on)
        return is_left


class _Counts:
    """What a check has found by now."""

    def __init__(self) -> None:
        self.checked = self.damaged = self.unreferenced = 0

    def take(self, report: Report | None) -> None:
        """Count a finding, or a file that is as it must be, and log what is damaged."""
        is_damage = report is not None and report.finding.is_damage
        self.checked += report is None or is_damage
        self.unreferenced += report is not None and not is_damage
        self.damaged += is_damage
        if report is not None and is_damage:
            _log.error("damage: %s: %s", report.finding, report.key)

    @property
    def summary(self) -> Summary:
        """The numbers, for the log."""
        return {"checked": self.checked, "damaged": self.damaged, "unreferenced": self.unreferenced}
