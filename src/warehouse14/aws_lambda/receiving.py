"""``warehouse14.aws_lambda.s3_events``: takes in the files that others put into the bucket."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from warehouse14.aws_lambda import Handler
from warehouse14.aws_lambda.notifications import Notice, notices
from warehouse14.aws_lambda.opening import one_line, open_site
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.sentences import printable
from warehouse14.domain.services.incoming import IncomingService, Outcome, Taken, failed
from warehouse14.logs import FIELDS, REQUEST

_log = logging.getLogger(__name__)

#: How often files are gone over again for which a store, or a project that others held, was not to be had.
_MOST_AGAIN = 3
#: What has to be left of the function's time for that, in milliseconds: more than one waits for a project.
_FOR_AGAIN = 60_000
#: More than the key of an object has, with all that is escaped.
_MOST = 10_000
_LEVELS = {Outcome.REFUSED: logging.WARNING, Outcome.WAITS: logging.ERROR}

Summary = dict[str, int]
#: The key of a file, and what is said of it.
_File = tuple[str, Notice]


class WaitingError(Exception):
    """Files could not be taken in now; the log has which, and why."""


def make_handler() -> Handler:
    """Return the handler; a site that cannot be opened, or takes no such files, ends the process with one
    line."""
    with one_line():
        incoming = open_site().assembly.warehouse.incoming
        if not incoming.is_open:
            raise Misconfigured("s3_events needs files in S3, and warehouse14.incoming_account")
    return S3EventsHandler(incoming)


class S3EventsHandler:
    """Takes in what lies under the keys of an event's records by now."""

    def __init__(self, incoming: IncomingService) -> None:
        self._incoming = incoming

    def __call__(self, event: Mapping[str, Any], context: Any) -> Summary:
        """Return how many files were taken in, and refused, which is no error.

        Raises ``WaitingError`` if one is to be tried again, when all others are done, and ``ValueError`` for
        an event that is of no bucket, or none of whose records can be read.
        """
        named = REQUEST.set(context.aws_request_id)
        try:
            return self._receive(notices(event), context.get_remaining_time_in_millis)
        finally:
            REQUEST.reset(named)

    def _receive(self, said: list[Notice], time_left: Callable[[], int]) -> Summary:
        tally = Tally()
        waiting = self._go_over([(key, notice) for notice in said if (key := self._key(notice))], tally)
        for _ in range(_MOST_AGAIN):
            if not waiting or time_left() < _FOR_AGAIN:
                break
            waiting = self._go_over([file for file, _ in waiting], tally)
        for (key, _), reason in waiting:
            tally.take(Taken(key, Outcome.WAITS, reason))
        tally.require_all()
        return tally.summary

    def _key(self, notice: Notice) -> str | None:
        """Return the key of what a notice speaks of, if that is for us."""
        key = self._incoming.key(notice.bucket, notice.name)
        if key is None:
            name = printable(f"{notice.bucket}/{notice.name}", most=_MOST)
            _log.info("incoming: %s is none of the files that are taken in", name)
        return key

    def _go_over(self, files: list[_File], tally: "Tally") -> list[tuple[_File, str]]:
        """Do what notices ask for, and return those files for which something was not to be had, with why."""
        waiting = []
        for key, notice in files:
            try:
                taken = self._follow(key, notice)
            except Unavailable as error:
                waiting.append(((key, notice), error.in_full))
            else:
                if taken is not None:
                    tally.take(taken)
        return waiting

    def _follow(self, key: str, notice: Notice) -> Taken | None:
        """Return what came of the file that a notice speaks of, if something did. Raises ``Unavailable``."""
        try:
            return self._incoming.cancel(key) if notice.is_removal else self._incoming.take(key)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it keeps no other file back
            return failed(key, error)


class Tally:
    """What came of files by now; each is a line in the log."""

    def __init__(self) -> None:
        self._counts: Counter[Outcome] = Counter()

    def take(self, taken: Taken) -> None:
        """Count and log a file."""
        self._counts[taken.outcome] += 1
        told = printable(f"{taken.key}: {taken.reason or taken.outcome}", most=_MOST)
        level = _LEVELS.get(taken.outcome, logging.INFO)
        _log.log(level, "incoming: %s", told, extra={FIELDS: {"outcome": taken.outcome.value}})

    def require_all(self) -> None:
        """Raise ``WaitingError`` if a file is to be tried again."""
        waiting = self._counts[Outcome.WAITS]
        if waiting:
            raise WaitingError(f"files that wait: {waiting}; the log of this run has which, and why")

    @property
    def summary(self) -> Summary:
        """The numbers."""
        return {
            "published": self._counts[Outcome.PUBLISHED],
            "there": self._counts[Outcome.THERE],
            "refused": self._counts[Outcome.REFUSED],
        }
