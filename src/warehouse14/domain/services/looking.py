"""Site administrators who look into a project or a group that is not theirs: for an hour, and on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from warehouse14.domain.access import Identity, Permission
from warehouse14.domain.errors import Rejected, Unauthenticated
from warehouse14.domain.model import Action, Change, Looked
from warehouse14.domain.names import group_name, group_principal, project_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import (
    attempt,
    entry,
    live_project,
    one_line,
    require_site,
    seen_group,
)

#: How long a look lasts.
LOOK = timedelta(hours=1)

_REASON_LENGTH = 500


class LookService:
    """The use cases of looking as administrator."""

    def __init__(self, units: Units, now: Now) -> None:
        self._units = units
        self._now = now

    def look(self, identity: Identity, project: str, *, reason: str) -> datetime:
        """Let an administrator see and mend a project in this session, as an admin of it does; return until
        when.

        The project's admins find it in their journal, with the reason.

        Args:
            identity: an administrator, in a session.
            project: the project's name.
            reason: why, in one line of 1 to 500 characters.

        Raises:
            Forbidden: the identity is no administrator.
            Rejected: the reason is missing or malformed.
            NotFound: there is no such project.
            Unauthenticated: the session has ended.
        """
        require_site(identity, Permission.ADMINISTER)
        name = project_name(project, field="project")
        detail = {"reason": _why(reason, "project")}
        change = entry(Action.PROJECT_LOOK, identity, self._now, project=name, detail=detail)
        return self._look(identity, name, change, lambda unit: live_project(unit, name))

    def look_at_group(self, identity: Identity, group: str, *, reason: str) -> datetime:
        """Let an administrator mend a group in this session, as an admin of it does; return until when.

        See :meth:`look`.
        """
        require_site(identity, Permission.ADMINISTER)
        name = group_name(group)
        detail = {"reason": _why(reason, "group")}
        change = entry(Action.GROUP_LOOK, identity, self._now, group=name, detail=detail)
        return self._look(
            identity, group_principal(name), change, lambda unit: seen_group(unit, identity, name)
        )

    def _look(
        self, identity: Identity, what: Looked, change: Change, find: Callable[[UnitOfWork], object]
    ) -> datetime:
        def work(unit: UnitOfWork) -> datetime:
            find(unit)
            found = None if identity.session is None else unit.sessions.get(identity.session)
            if found is None:
                raise Unauthenticated("Only somebody who is signed in looks as administrator.")
            now = self._now()
            still = {looked: until for looked, until in found.looks.items() if until > now}
            unit.sessions.set_looks(found.id, still | {what: now + LOOK})
            unit.journal.append(replace(change, at=now))
            return now + LOOK

        return attempt(self._units, work)


def _why(reason: str, kind: str) -> str:
    why = one_line(reason.strip(), field="reason", most=_REASON_LENGTH)
    if not why:
        raise Rejected(f"reason: write why; the {kind}'s admins read it.", field="reason")
    return why
