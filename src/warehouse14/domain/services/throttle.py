"""Slowing down who guesses passwords, tokens or codes, without locking anybody out.

Each attempt is counted before it is judged, so that many at once do not get
past the limit; one that succeeds, or that nobody had the time to judge, takes
its count back. What is counted expires by itself.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from warehouse14.domain.errors import TooManyAttempts
from warehouse14.domain.model import Failures
from warehouse14.domain.names import AccountName
from warehouse14.domain.origins import network_of
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import attempt

#: A failure this long ago no longer counts.
MEMORY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted under one key.

    The first ``free`` failures cost nothing; each further one doubles the
    wait, from a second up to ``most`` seconds. Where ``after`` names
    another key, this limit holds only those who have failed under that one.
    A ``shared`` one is not forgotten when one of many has succeeded.
    """

    key: str
    free: int
    most: int
    after: str | None = None
    shared: bool = False

    def wait(self, failures: int) -> float:
        """Return for how many seconds after the last of so many failures the next attempt has to wait."""
        beyond = failures - self.free
        return 0 if beyond < 0 else min(2.0 ** min(beyond, 30), self.most)


def limits(account: AccountName | None, origin: str, device: str | None) -> Sequence[Limit]:
    """Return what counts for one attempt to sign in.

    Args:
        account: the account, or None if the name that was given can be no account's.
        origin: the address of the client; of an IPv6 address the network counts.
        device: the mark of a browser that has signed in to this account before. It is counted
            by itself: nobody else's failures can slow its owner down.
    """
    if device is not None:
        return [Limit(f"device:{device}", free=5, most=60)]
    network = network_of(origin)
    whole = [Limit(f"address:{network}", free=20, most=60, shared=True)]
    if account is None:
        return whole
    here = f"account:{account}@{network}"
    return [*whole, Limit(here, free=5, most=30), Limit(f"account:{account}", free=30, most=30, after=here)]


def token_limits(origin: str) -> Sequence[Limit]:
    """Return what counts for a token that is refused: nothing but the address of the client."""
    return [Limit(f"token-address:{network_of(origin)}", free=20, most=60, shared=True)]


def arrival_limits(origin: str, device: str | None) -> Sequence[Limit]:
    """Return what counts for an answer of an identity provider that does not count: the address of the
    client, or the mark of a browser in which somebody has signed in through that provider before."""
    if device is not None:
        return [Limit(f"arrival-device:{device}", free=5, most=60)]
    return [Limit(f"arrival-address:{network_of(origin)}", free=20, most=60, shared=True)]


@dataclass(frozen=True, slots=True)
class Admission:
    """An attempt that was counted: under which limits, when, and when the last one under each was before."""

    of: Sequence[Limit]
    at: datetime
    before: Mapping[str, datetime]


class Throttle:
    """Counts attempts in the metadata store, for all processes together."""

    def __init__(self, units: Units, now: Now) -> None:
        self._units = units
        self._now = now

    def admit(self, of: Sequence[Limit]) -> Admission:
        """Count an attempt as a failure, for now. Raises ``TooManyAttempts``, and then counts nothing."""
        now = self._now()

        def work(unit: UnitOfWork) -> Admission:
            recent = _admitted(unit, of, now)
            for limit in of:
                before = recent[limit.key].count if limit.key in recent else 0
                unit.attempts.count(limit.key, now, since=now - MEMORY, expected=before)
            return Admission(of, now, {key: found.last_at for key, found in recent.items()})

        return attempt(self._units, work)

    def check(self, of: Sequence[Limit]) -> None:
        """Raise ``TooManyAttempts`` if an attempt would have to wait. It counts nothing."""
        with self._units.read() as unit:
            _admitted(unit, of, self._now())

    def fail(self, of: Sequence[Limit]) -> None:
        """Count an attempt that has failed, unless it had to wait, and forget all that have expired."""
        with suppress(TooManyAttempts):
            self.admit(of)
            with self._units.write() as unit:
                unit.attempts.forget(self._now() - MEMORY)

    def forget(self, of: Sequence[Limit]) -> None:
        """Forget the failures of somebody who has succeeded without being admitted."""

        def work(unit: UnitOfWork) -> None:
            for limit in of:
                unit.attempts.clear(limit.key)

        attempt(self._units, work)

    def take_back(self, admitted: Admission) -> None:
        """Count an attempt less that was admitted, but then not judged."""

        def work(unit: UnitOfWork) -> None:
            for limit in admitted.of:
                _take_back(unit, limit, admitted)

        attempt(self._units, work)

    def succeed(self, admitted: Admission) -> None:
        """Forget the failures of somebody who has succeeded, and all that have expired."""

        def work(unit: UnitOfWork) -> None:
            for limit in admitted.of:
                if limit.shared:
                    _take_back(unit, limit, admitted)
                else:
                    unit.attempts.clear(limit.key)
            unit.attempts.forget(self._now() - MEMORY)

        attempt(self._units, work)


def _take_back(unit: UnitOfWork, limit: Limit, admitted: Admission) -> None:
    unit.attempts.take_back(limit.key, admitted.at, admitted.before.get(limit.key, admitted.at))


def _admitted(unit: UnitOfWork, of: Sequence[Limit], now: datetime) -> Mapping[str, Failures]:
    """Return what was counted lately under each key. Raises ``TooManyAttempts`` for who has to wait."""
    counted = unit.attempts.of([limit.key for limit in of])
    since = now - MEMORY
    recent = {key: found for key, found in counted.items() if found.count and found.last_at >= since}
    wait = max(_wait(limit, recent, now) for limit in of)
    if wait > 0:
        raise TooManyAttempts(math.ceil(wait))
    return recent


def _wait(limit: Limit, recent: Mapping[str, Failures], now: datetime) -> float:
    """Return for how many seconds from now on ``limit`` says to wait."""
    failures = recent.get(limit.key)
    if failures is None or not (limit.after is None or limit.after in recent):
        return 0
    # From one's own last failure: else others could go on failing, and nobody would get in.
    last = failures if limit.after is None else recent[limit.after]
    return limit.wait(failures.count) - (now - last.last_at).total_seconds()
