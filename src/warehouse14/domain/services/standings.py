"""What accounts are to a site, kept between requests as long as nothing of theirs changes."""

from warehouse14.domain.access import SiteRules, Standing
from warehouse14.domain.followed import FollowedCache, account_tag, group_tag
from warehouse14.domain.names import AccountName
from warehouse14.domain.ports import Now, Units

#: About what a standing takes in memory, in bytes.
_SIZE = 2000


class Standings:
    """Tells what an account is to a site: its rank and its groups."""

    def __init__(self, units: Units, cache: FollowedCache, rules: SiteRules, now: Now) -> None:
        self._units = units
        self._cache = cache
        self._rules = rules
        self._now = now

    def follow(self) -> None:
        """Drop what has changed since the last time. Raises ``Unavailable``."""
        self._cache.follow()

    def of(self, name: AccountName) -> Standing | None:
        """Return the standing of a person's account, a disabled one too, or None if there is none."""
        key = ("standing", name)
        known: Standing | None = self._cache.get(key)
        return known if known and known.holds(self._now()) else self._look_up(key, name)

    def _look_up(self, key: tuple[str, str], name: AccountName) -> Standing | None:
        with self._units.read() as unit:
            serial = unit.journal.serial()
            account = unit.accounts.get(name)
            ours = unit.groups.of(name)
        if account is None:
            return None
        standing = self._rules.standing(account, ours, self._now())
        tags = [account_tag(name), *map(group_tag, ours)]
        self._cache.put(key, standing, size=_SIZE, tags=tags, serial=serial)
        return standing
