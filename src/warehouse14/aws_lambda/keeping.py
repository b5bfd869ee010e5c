"""``warehouse14.aws_lambda.upkeep``: collects, checks, and takes in what was left, for a schedule."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from warehouse14.aws_lambda import Handler
from warehouse14.aws_lambda.opening import one_line, open_site
from warehouse14.aws_lambda.receiving import Tally
from warehouse14.domain.blobkeys import METADATA, SIDECAR
from warehouse14.domain.services.incoming import UNHANDLED, Taken
from warehouse14.domain.services.steps import Step
from warehouse14.domain.services.upkeep import Finding, Loose, Report
from warehouse14.domain.warehouse import Warehouse
from warehouse14.logs import FIELDS, REQUEST

_log = logging.getLogger(__name__)

#: What is left of the function's time for the summary, in milliseconds, and for the step that was begun.
_RESERVE = 10_000

#: The parts of the function's time after which the collection gives way to the check, and that to files that
#: were put into the bucket, and after which none of those is begun: what is left of them comes the next time,
#: and the collection and the check go on.
_COLLECT_FIRST, _CHECK_FIRST, _FILES_UNTIL = 0.25, 0.4, 0.6

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
    events came to nothing: after a part of both, as one of those may end the process."""

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
        collection = _Work(clock, self._collected())
        check = _Work(clock, self._warehouse.upkeep.check_in_steps())
        files = _Work(clock, self._left_waiting())
        found, tally = _Counts(), Tally()
        found.take_loose(collection.until(_COLLECT_FIRST))
        found.take_reports(check.until(_CHECK_FIRST))
        for taken in files.until(_FILES_UNTIL):
            tally.take(taken)
        found.take_loose(collection.until(1))
        found.take_reports(check.until(1))
        is_complete = collection.is_done and check.is_done and files.is_done
        arrived = tally.summary if self._warehouse.incoming.is_open else {}
        summary: Summary = {**arrived, **found.summary, "complete": is_complete}
        _log.info("upkeep", extra={FIELDS: summary})
        if found.damaged:
            raise DamagedError(f"damaged files: {found.damaged}; the log of this run has their keys")
        if not is_complete:
            raise UnfinishedError("the function's time was not enough: give it more, up to 15 minutes")
        tally.require_all()
        return summary

    def _left_waiting(self) -> Iterator[Taken | Step]:
        """Take in what lies there unhandled, unless the site changes nothing for now, or takes no files."""
        if self._warehouse.policy.read_only or not self._warehouse.incoming.is_open:
            return iter(())
        return self._warehouse.incoming.take_all_in_steps(older_than=UNHANDLED, is_short=True)

    def _collected(self) -> Iterator[Loose | Step]:
        """Remove what nobody refers to, unless the site changes nothing for now."""
        return iter(()) if self._warehouse.policy.read_only else self._warehouse.upkeep.collect_in_steps()


class _Clock:
    """The time that a function has."""

    def __init__(self, left: Callable[[], int]) -> None:
        self._left = left
        self._whole = left()

    def has_time(self, share: float) -> bool:
        """Whether less than a share of the whole has passed, and enough is left for the end."""
        return self._left() >= max(_RESERVE, self._whole * (1 - share))


class _Work(Generic[Item]):
    """Something that is done as far as there is time, and gone on with later.

    Attributes:
        is_done: whether nothing is left of it.
    """

    def __init__(self, clock: _Clock, items: Iterator[Item | Step]) -> None:
        self._clock = clock
        self._items = items
        self._is_at_step = False
        self.is_done = False

    def until(self, share: float) -> Iterator[Item]:
        """Return what comes of it until a share of the time has passed. None of its steps is begun after."""
        while not self._is_at_step or self._clock.has_time(share):
            try:
                item = next(self._items)
            except StopIteration:
                self._is_at_step, self.is_done = False, True
                return
            self._is_at_step = isinstance(item, Step)
            if not isinstance(item, Step):
                yield item


class _Counts:
    """What the collection and the check have found by now."""

    def __init__(self) -> None:
        self.removed = self.left = self.checked = self.unreferenced = 0
        self._damaged: set[str] = set()

    @property
    def damaged(self) -> int:
        """How many files are damaged. The check finds again what the collection has missed."""
        return len(self._damaged)

    def take_loose(self, found: Iterable[Loose]) -> None:
        """Count what was removed, and what was left, and log what a listed file is without by that."""
        for loose in found:
            self.left += loose.is_left
            self.removed += not loose.is_left
            if loose.is_missed:
                self._take_damage(Finding.MISSING, loose.key)

    def take_reports(self, reports: Iterable[Report | None]) -> None:
        """Count findings, and files that are as they must be, and log what is damaged."""
        for report in reports:
            is_damage = report is not None and report.finding.is_damage
            self.checked += report is None or is_damage
            self.unreferenced += report is not None and not is_damage
            if report is not None and is_damage:
                self._take_damage(report.finding, report.key)

    def _take_damage(self, finding: Finding, key: str) -> None:
        _log.error("damage: %s: %s", finding, key)
        self._damaged.add(key.removesuffix(SIDECAR).removesuffix(METADATA))

    @property
    def summary(self) -> Summary:
        """The numbers, for the log."""
        return {
            "removed": self.removed,
            "left": self.left,
            "checked": self.checked,
            "damaged": self.damaged,
            "unreferenced": self.unreferenced,
        }
