"""Site administrators who look into a project that they have no role on: for an hour, and on record."""

from dataclasses import replace
from datetime import datetime, timedelta

from warehouse14.domain.access import Identity, Permission
from warehouse14.domain.errors import Rejected, Unauthenticated
from warehouse14.domain.model import Action
from warehouse14.domain.names import ProjectName, project_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import attempt, entry, live_project, one_line, require_site

#: How long a look lasts.
LOOK = timedelta(hours=1)

_REASON_LENGTH = 500


class LookService:
    """The use case of looking as administrator."""

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
        why = one_line(reason.strip(), field="reason", most=_REASON_LENGTH)
        if not why:
            raise Rejected("reason: write why; the project's admins read it.", field="reason")
        if identity.session is None:
            raise Unauthenticated("Only somebody who is signed in looks as administrator.")
        return attempt(
            self._units, lambda unit: self._look(unit, identity, identity.session or "", name, why)
        )

    def _look(
        self, unit: UnitOfWork, identity: Identity, session: str, name: ProjectName, reason: str
    ) -> datetime:
        live_project(unit, name)
        found = unit.sessions.get(session)
        if found is None:
            raise Unauthenticated("You are no longer signed in.")
        now = self._now()
        still = {project: until for project, until in found.looks.items() if until > now}
        unit.sessions.set_looks(found.id, still | {name: now + LOOK})
        change = entry(Action.PROJECT_LOOK, identity, self._now, project=name, detail={"reason": reason})
        unit.journal.append(replace(change, at=now))
        return now + LOOK
