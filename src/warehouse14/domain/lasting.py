"""How long tokens last, and whether that is nearly over."""

from datetime import datetime, timedelta

from warehouse14.domain.errors import Rejected

DEFAULT_DAYS = 365
MOST_DAYS = 36_500
#: A token that ends within this time is said to.
SOON = timedelta(days=14)

_DAY = timedelta(days=1)


def end_of(days: int, now: datetime) -> datetime | None:
    """Return when a token ends that is made ``now`` for so many days; 0 is for no end.

    Raises ``Rejected`` for a number that is out of bounds.
    """
    if not 0 <= days <= MOST_DAYS:
        raise Rejected(f"days: use 0 (no end) to {MOST_DAYS}.", field="days")
    return now + timedelta(days=days) if days else None


def ends_soon(expires_at: datetime | None, now: datetime) -> str:
    """Return in words when a token ends (``in 6 days``), if that is soon; else nothing."""
    if expires_at is None or not now < expires_at <= now + SOON:
        return ""
    days = (expires_at - now) // _DAY
    return {0: "in less than a day", 1: "in a day"}.get(days, f"in {days} days")
