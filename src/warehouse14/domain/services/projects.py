"""Projects: who owns them, who reads them, and that they exist."""

from collections.abc import Sequence

from warehouse14.domain.access import Identity, Permission
from warehouse14.domain.errors import AlreadyExists, NotFound, Rejected
from warehouse14.domain.model import Action, File, Project, ProjectSummary, Release, Role, releases
from warehouse14.domain.names import (
    RESERVED_PROJECTS,
    AccountName,
    Principal,
    account_principal,
    is_service_name,
    principal,
    principal_account,
    project_name,
)
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.working import (
    attempt,
    entry,
    permitted_project,
    require_new,
    require_site,
)


class ProjectService:
    """The use cases on projects."""

    def __init__(self, units: Units, now: Now) -> None:
        self._units = units
        self._now = now

    def create(
        self, identity: Identity, name: str, *, admin: AccountName | None = None, public: bool = False
    ) -> Project:
        """Take a new name and return its project.

        Args:
            identity: who acts; its account becomes the admin if ``admin`` is not given.
            name: as it is to be spelled; its normalized form is the key (PEP 503).
            admin: the account that gets the role admin.
            public: whether every signed-in account may read it.

        Raises:
            Rejected: the name is malformed or reserved, or there would be no admin.
            AlreadyExists: the name is or was taken.
            Forbidden: the identity may not create projects.
            NotFound: there is no account ``admin``.
        """
        require_new(identity, project_name(name))
        owner = admin or identity.account
        if owner is None:
            raise Rejected("admin: name the account that is to own the project.", field="admin")
        if is_service_name(owner):
            raise Rejected("admin: a service account owns no project.", field="admin")
        if owner != identity.account:
            require_site(identity, Permission.ADMINISTER)
        project = self._new(identity, name, owner, public=public)

        def work(unit: UnitOfWork) -> Project:
            _known_account(unit, account_principal(owner))
            if unit.projects.get(project.name) is not None:
                raise AlreadyExists("project", project.name, f"The project name {project.name} is taken.")
            unit.projects.create(project)
            unit.journal.append(entry(Action.PROJECT_CREATE, identity, self._now, project=project.name))
            return project

        return attempt(self._units, work)

    def _new(self, identity: Identity, name: str, owner: AccountName, *, public: bool) -> Project:
        key = project_name(name)
        if key in RESERVED_PROJECTS:
            raise Rejected(f"name: {key} is reserved and cannot be a project.", field="name")
        return Project(
            name=key,
            display_name=name,
            public=public,
            created_at=self._now(),
            created_by=identity.name,
            grants={account_principal(owner): Role.ADMIN},
        )

    def get(self, identity: Identity, name: str) -> Project:
        """Return a project that ``identity`` may read, or raise ``NotFound``."""
        with self._units.read() as unit:
            return permitted_project(unit, identity, Permission.READ, project_name(name))

    def listed(self, identity: Identity) -> Sequence[ProjectSummary]:
        """Return the projects that ``identity`` may read, by name."""
        with self._units.read() as unit:
            return visible_projects(unit, identity)

    def files(self, identity: Identity, name: str) -> tuple[File, ...]:
        """Return the listed files of a project, by file name. Raises ``NotFound``."""
        return tuple(file for file in self._all_files(identity, name) if file.deleted_at is None)

    def releases(self, identity: Identity, name: str) -> tuple[Release, ...]:
        """Return a project's releases, the newest version first. Raises ``NotFound``."""
        return releases(self._all_files(identity, name))

    def _all_files(self, identity: Identity, name: str) -> Sequence[File]:
        with self._units.read() as unit:
            project = permitted_project(unit, identity, Permission.READ, project_name(name))
            return unit.files.of(project.name)

    def grant(self, identity: Identity, name: str, who: str, role: Role) -> bool:
        """Give ``who`` (``account:NAME``) a role, or change the one it has; return whether it is new.

        Raises:
            Rejected: ``who`` is malformed, or is the last admin and would become a member.
            NotFound: no such project to this identity, or no such account.
            Forbidden: the identity may not manage it.
        """
        target = principal(who)

        def work(unit: UnitOfWork) -> bool:
            project = permitted_project(unit, identity, Permission.MANAGE, project_name(name))
            _known_account(unit, target)
            if project.grants.get(target) is role:
                return False
            if role is not Role.ADMIN:
                _keep_an_admin(project, target)
            unit.projects.grant(project.name, target, role, expected=project.serial)
            detail = {"principal": target, "role": role.value}
            unit.journal.append(
                entry(Action.PROJECT_GRANT, identity, self._now, project=project.name, detail=detail)
            )
            return True

        return attempt(self._units, work)

    def revoke(self, identity: Identity, name: str, who: str) -> None:
        """Take away the role of ``who``.

        Raises:
            Rejected: ``who`` is malformed, or is the last admin.
            NotFound: no such project to this identity, or ``who`` has no role on it.
            Forbidden: the identity may not manage it.
        """
        target = principal(who)

        def work(unit: UnitOfWork) -> None:
            project = permitted_project(unit, identity, Permission.MANAGE, project_name(name))
            if target not in project.grants:
                raise NotFound("role of", principal_account(target))
            _keep_an_admin(project, target)
            unit.projects.revoke(project.name, target, expected=project.serial)
            detail = {"principal": target}
            unit.journal.append(
                entry(Action.PROJECT_REVOKE, identity, self._now, project=project.name, detail=detail)
            )

        attempt(self._units, work)

    def set_public(self, identity: Identity, name: str, *, public: bool) -> bool:
        """Open the project to every signed-in account, or close it; return whether that is new.

        Raises ``NotFound`` and ``Forbidden`` as the others do.
        """

        def work(unit: UnitOfWork) -> bool:
            project = permitted_project(unit, identity, Permission.MANAGE, project_name(name))
            if project.public is public:
                return False
            unit.projects.set_public(project.name, public, expected=project.serial)
            action = Action.PROJECT_PUBLIC if public else Action.PROJECT_PRIVATE
            unit.journal.append(entry(action, identity, self._now, project=project.name))
            return True

        return attempt(self._units, work)

    def delete(self, identity: Identity, name: str) -> None:
        """Delete the project with all its files. Its name and theirs stay taken.

        Raises ``NotFound`` and ``Forbidden`` as the others do.
        """

        def work(unit: UnitOfWork) -> None:
            project = permitted_project(unit, identity, Permission.DELETE, project_name(name))
            unit.projects.delete(project.name, self._now(), expected=project.serial)
            unit.journal.append(entry(Action.PROJECT_DELETE, identity, self._now, project=project.name))

        attempt(self._units, work)


def visible_projects(unit: UnitOfWork, identity: Identity) -> Sequence[ProjectSummary]:
    """Return the projects that ``identity`` may read; its token may narrow them."""
    found = unit.projects.visible(None if identity.is_operator else identity.principals)
    if identity.token is None or identity.token.reach.is_all:
        return found
    return [project for project in found if identity.token.reach.covers(project.name)]


def _known_account(unit: UnitOfWork, who: Principal) -> None:
    name = principal_account(who)
    if unit.accounts.get(name) is None:
        raise NotFound("account", name)


def _keep_an_admin(project: Project, leaving: Principal) -> None:
    if project.admins <= {leaving}:
        name = principal_account(leaving)
        raise Rejected(
            f"The last admin of {project.name} is {name}. Make somebody else an admin first.",
            field="principal",
        )
