"""What identity providers say of an account, as long as it counts."""

from dataclasses import replace
from datetime import datetime, timedelta

from warehouse14.domain.model import Account, Vouched
from warehouse14.domain.names import Principal, ProviderName, group_provider, provider_group

#: How many groups a journal entry names.
_MOST_NOTED = 50


def without(vouched: Vouched, provider: ProviderName) -> Vouched:
    """Return ``vouched`` without what ``provider`` has said of groups and rules."""
    start = provider_group(provider, "")
    groups = frozenset(group for group in vouched.groups if not group.startswith(start))
    seen = {name: at for name, at in vouched.seen.items() if name != provider}
    return replace(vouched, groups=groups, kept_out=vouched.kept_out - {provider}, seen=seen)


def still(vouched: Vouched, now: datetime, reverify: timedelta | None) -> Vouched:
    """Return ``vouched`` without the groups at providers where somebody has not been for ``reverify``."""
    if reverify is None:
        return vouched
    stale = {provider for provider, at in vouched.seen.items() if at + reverify < now}
    return replace(
        vouched, groups=frozenset(group for group in vouched.groups if group_provider(group) not in stale)
    )


def holds_until(vouched: Vouched, reverify: timedelta | None) -> datetime | None:
    """Return until when all the groups in ``vouched`` count, None for as long as nothing changes."""
    if reverify is None:
        return None
    providers = set(map(group_provider, vouched.groups))
    return min((at + reverify for name, at in vouched.seen.items() if name in providers), default=None)


def changed(before: Vouched | None, now: Vouched | None) -> dict[str, str]:
    """Return what the journal says of a sign-in that changed what somebody may: one group on each line."""
    old, new = (vouched.groups if vouched else frozenset() for vouched in (before, now))
    said = {"gained": new - old, "lost": old - new}
    return {key: _lines(who) for key, who in said.items() if who}


def why_not(account: Account) -> str:
    """Return why nothing of an account counts."""
    if account.disabled or account.vouched is None:
        return "Your account is disabled. An administrator of this site can tell why."
    rules = " and ".join(sorted(account.vouched.kept_out))
    return f"The rules for {rules} keep you out, whichever way you come. Pass them at a sign-in there."


def _lines(groups: frozenset[Principal]) -> str:
    names = [who.removeprefix("group:") for who in sorted(groups)]
    more = [f"and {len(names) - _MOST_NOTED} more"] if len(names) > _MOST_NOTED else []
    return "\n".join(names[:_MOST_NOTED] + more)
