"""Slowing down who guesses passwords, without locking anybody out.

Each attempt is counted before it is judged, so that many at once do not get
past the limit; one that succeeds, or that nobody had the time to judge, takes
its count back. What is counted expires by itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from warehouse14.domain.errors import TooManyAttempts
from warehouse14.domain.model import Failures
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import attempt

#: A failure this long ago no longer counts.
MEMORY = timedelta(minutes=15)

_IPV6_NETWORK = 64


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
    network = _network(origin)
    whole = [Limit(f"address:{network}", free=20, most=60, shared=True)]
    if account is None:
        return whole
    here = f"account:{account}@{network}"
    return [*whole, Limit(here, free=5, most=30), Limit(f"account:{account}", free=30, most=30, after=here)]


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
        since = now - MEMORY

        def work(unit: UnitOfWork) -> Admission:
            counted = unit.attempts.of([limit.key for limit in of])
            recent = {key: found for key, found in counted.items() if found.count and found.last_at >= since}
            wait = max(_wait(limit, recent, now) for limit in of)
            if wait > 0:
                raise TooManyAttempts(math.ceil(wait))
            for limit in of:
                before = recent[limit.key].count if limit.key in recent else 0
                unit.attempts.count(limit.key, now, since=since, expected=before)
            return Admission(of, now, {key: found.last_at for key, found in recent.items()})

        return attempt(self._units, work)

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


def _wait(limit: Limit, recent: Mapping[str, Failures], now: datetime) -> float:
    """Return for how many seconds from now on ``limit`` says to wait."""
    failures = recent.get(limit.key)
    if failures is None or not (limit.after is None or limit.after in recent):
        return 0
    # From one's own last failure: else others could go on failing, and nobody would get in.
    last = failures if limit.after is None else recent[limit.after]
    return limit.wait(failures.count) - (now - last.last_at).total_seconds()


def _network(origin: str) -> str:
    """Return what stands for an address: one person has a whole IPv6 network to come from."""
    try:
        address = ip_address(origin)
    except ValueError:
        return origin[:45]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ip_network((address, _IPV6_NETWORK), strict=False))
    return str(address)
