"""What can be sought in the journal."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from warehouse14.domain.credentials import token_id
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import Action, Change
from warehouse14.domain.names import AccountName, GroupName, ProjectName, group_name, project_name

#: The families of actions: each ends with a dot and stands for all actions that begin with it.
FAMILIES = tuple(dict.fromkeys(f"{action.partition('.')[0]}." for action in Action))

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ACTOR_LENGTH = 200
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Sought:
    """Entries of the journal: those that fit all that is given.

    Attributes:
        project, group: the project and the group that they name.
        actor: who did it.
        account: the account that it was done to.
        concerning: the account that did it or that it was done to.
        token: the id of the token that it was done to or with.
        action: what was done; with a dot at its end, a family of actions.
        since, until: the times that it was done between; ``until`` is the first that is too late.
    """

    project: ProjectName | None = None
    group: GroupName | None = None
    actor: str | None = None
    account: AccountName | None = None
    concerning: AccountName | None = None
    token: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def finds(self, change: Change) -> bool:
        """Whether an entry fits."""
        return (
            self.project in {None, change.project}
            and self.group in {None, change.group}
            and self.actor in {None, change.actor}
            and self.account in {None, change.account}
            and self.concerning in {None, change.actor, change.account}
            and self.token in {None, change.token, change.by_token}
            and _is_of(change.action, self.action)
            and (self.since is None or self.since <= change.at)
            and (self.until is None or change.at < self.until)
        )


def is_family(action: str) -> bool:
    """Whether ``action`` stands for a family of actions."""
    return action.endswith(".")


def _is_of(action: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    return action.startswith(wanted) if is_family(wanted) else action == wanted


def sought_of(
    *,
    who: str = "",
    what: str = "",
    since: str = "",
    until: str = "",
    token: str = "",
    project: str = "",
    group: str = "",
) -> Sought:
    """Return what somebody seeks who wrote this; an empty text leaves a part open.

    Args:
        who: who did it: the name of an account, or ``operator``.
        what: an action (``file.upload``), or a family of them (``file.``).
        since: the first day, in UTC, as ISO 8601 writes it.
        until: the last day.
        token: the id of the token that it was done with, or to.
        project, group: the project and the group that it was done to, also one that is deleted.

    Raises:
        Rejected: a part is malformed.
    """
    return Sought(
        actor=_actor(who.strip()) or None,
        action=_action(what.strip()) or None,
        since=_day(since.strip(), "since"),
        until=_day(until.strip(), "until", days=1),
        token=token_id(token.strip()) if token.strip() else None,
        project=project_name(project.strip(), field="project") if project.strip() else None,
        group=group_name(group.strip()) if group.strip() else None,
    )


def _actor(who: str) -> str:
    if len(who) > _ACTOR_LENGTH or not who.isprintable():
        raise Rejected(f"who: use at most {_ACTOR_LENGTH} printable characters.", field="who")
    return who.lower()


def _action(what: str) -> str:
    if what and what not in {*Action, *FAMILIES}:
        raise Rejected(
            f"what: {what[:_SHOWN]!a} is nothing that the journal tells of. Use an action such as "
            f"file.upload, or all of a kind: {', '.join(FAMILIES)}",
            field="what",
        )
    return what


def _day(text: str, field: str, *, days: int = 0) -> datetime | None:
    """Return the beginning of the day that ``text`` names, or of one so many days later."""
    if not text:
        return None
    wrong = Rejected(f"{field}: {text[:_SHOWN]!a} is no day. Write it as 2026-11-30.", field=field)
    # The library reads other forms as well.
    if not _DAY.fullmatch(text):
        raise wrong
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise wrong from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
