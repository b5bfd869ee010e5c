"""Projects: who owns them, who reads them, and that they exist."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from warehouse14.domain.access import Identity, Permission, SiteRules, vouched_groups
from warehouse14.domain.errors import AlreadyExists, NotFound, Rejected
from warehouse14.domain.model import Action, File, Project, ProjectSummary, Release, Role, releases
from warehouse14.domain.names import (
    RESERVED_PROJECTS,
    AccountName,
    Principal,
    ProjectName,
    account_principal,
    granted_principal,
    invited_address,
    is_service_name,
    principal,
    principal_account,
    principal_group,
    principal_words,
    project_name,
)
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.accounts import existing_account
from warehouse14.domain.services.invitations import held_by, invited_instead
from warehouse14.domain.services.standings import hold_for
from warehouse14.domain.services.working import (
    ROLES,
    attempt,
    entry,
    permitted_project,
    require_new,
    require_site,
)


@dataclass(frozen=True, slots=True)
class Granted:
    """Who has a role now that was granted, and whether it is new."""

    who: Principal
    is_new: bool


class ProjectService:
    """The use cases on projects."""

    def __init__(self, units: Units, now: Now, rules: SiteRules) -> None:
        self._units = units
        self._now = now
        self._rules = rules

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
        owner = _owner_of_new(identity, project_name(name), admin)
        project = self._new(identity, name, owner, public=public)

        def work(unit: UnitOfWork) -> Project:
            creator = hold_for(unit, identity, self._rules, self._now, ROLES)
            existing_account(unit, _owner_of_new(creator, project.name, admin))
            if unit.projects.get(project.name) is not None:
                raise AlreadyExists("project", project.name, f"The project name {project.name} is taken.")
            unit.projects.create(project)
            unit.journal.append(
                entry(Action.PROJECT_CREATE, identity, self._now, project=project.name, account=owner)
            )
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

    def grant(self, identity: Identity, name: str, who: str, role: Role) -> Granted:
        """Give ``who`` a role, or change the one it has; return who has it now, and whether that is new.

        ``who`` is ``account:NAME``, ``group:NAME`` or ``group:PROVIDER/NAME``, of which the last is taken as
        it is: nobody but the provider knows its groups. ``account:ADDRESS`` of an e-mail address that is no
        account's name is an invitation: whoever signs in with it first, through a provider that vouches for
        it, gets the role.

        Raises:
            Rejected: ``who`` is malformed, or is the last admin and would become a member.
            NotFound: no such project to this identity, or no such account or group.
            Forbidden: the identity may not manage it.
        """
        named = principal(who)

        def work(unit: UnitOfWork) -> Granted:
            giver = self._held(unit, identity, project_name(name))
            project = permitted_project(unit, giver, Permission.MANAGE, project_name(name))
            target = invited_instead(unit, named)
            _require_group(unit, target)
            if project.grants.get(target) is role:
                return Granted(target, is_new=False)
            if role is not Role.ADMIN:
                _keep_an_admin(unit, project, target)
            unit.projects.grant(project.name, target, role, expected=project.serial)
            action = Action.PROJECT_INVITE if invited_address(target) else Action.PROJECT_GRANT
            detail = {"principal": target, "role": role.value}
            self._note_role(unit, action, identity, project, target, detail)
            return Granted(target, is_new=True)

        return attempt(self._units, work)

    def revoke(self, identity: Identity, name: str, who: str) -> Principal:
        """Take away the role of ``who``, or the invitation of an address.

        Returns whom ``who`` names: it may be spelt as it was granted, or as it would be today.

        Raises:
            Rejected: ``who`` is malformed, or is the last admin.
            NotFound: no such project to this identity, or ``who`` has no role on it.
            Forbidden: the identity may not manage it.
        """

        def work(unit: UnitOfWork) -> Principal:
            taker = self._held(unit, identity, project_name(name))
            project = permitted_project(unit, taker, Permission.MANAGE, project_name(name))
            named = granted_principal(who, project.grants)
            target = held_by(project, named)
            if target not in project.grants:
                raise NotFound("role of", principal_words(named))
            _keep_an_admin(unit, project, target)
            unit.projects.revoke(project.name, target, expected=project.serial)
            detail = {"principal": target}
            self._note_role(unit, Action.PROJECT_REVOKE, identity, project, target, detail)
            return named

        return attempt(self._units, work)

    def abandoned(self, identity: Identity, names: Iterable[ProjectName]) -> frozenset[ProjectName]:
        """Return those of the projects ``names`` that nobody is left to administer: their admins are accounts
        that may not act, and groups that are deleted or have no member who may.

        Raises ``Forbidden`` for those who do not administer the site.
        """
        require_site(identity, Permission.ADMINISTER)
        with self._units.read() as unit:
            found = [project for name in names if (project := unit.projects.get(name)) is not None]
            left = [project for project in found if not any(_acts(unit, who) for who in project.admins)]
            theirs = filter(self._rules.counts, _vouched_groups(unit)) if left else ()
            acting = frozenset(theirs)
        return frozenset(project.name for project in left if project.admins.isdisjoint(acting))

    def _held(self, unit: UnitOfWork, identity: Identity, project: ProjectName) -> Identity:
        """Hold a project, so that whoever publishes to it all the time does not come first again and again;
        and then what others wait for on the whole site. Return ``identity`` as it is by then: what it does
        outlasts its own role. Raises ``Forbidden`` for an account that may not act any more."""
        return hold_for(unit, identity, self._rules, self._now, project, ROLES)

    def _note_role(
        self,
        unit: UnitOfWork,
        action: Action,
        identity: Identity,
        project: Project,
        target: Principal,
        detail: Mapping[str, str],
    ) -> None:
        change = entry(
            action,
            identity,
            self._now,
            project=project.name,
            account=principal_account(target),
            group=principal_group(target),
            detail=detail,
        )
        unit.journal.append(change)

    def set_public(self, identity: Identity, name: str, *, public: bool) -> bool:
        """Open the project to every signed-in account, or close it; return whether that is new.

        Raises ``NotFound`` and ``Forbidden`` as the others do.
        """

        def work(unit: UnitOfWork) -> bool:
            project = self._waited_for(unit, identity, Permission.MANAGE, project_name(name))
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
            project = self._waited_for(unit, identity, Permission.DELETE, project_name(name))
            unit.projects.delete(project.name, self._now(), expected=project.serial)
            unit.journal.append(entry(Action.PROJECT_DELETE, identity, self._now, project=project.name))

        attempt(self._units, work)

    def _waited_for(
        self, unit: UnitOfWork, identity: Identity, permission: Permission, name: ProjectName
    ) -> Project:
        """Hold a project, so that whoever publishes to it all the time does not come first again and again,
        and return it if ``identity`` may do ``permission`` by then. Raises as ``require`` does, and
        ``Forbidden`` for an account that may not act any more."""
        return permitted_project(
            unit, hold_for(unit, identity, self._rules, self._now, name), permission, name
        )


def _owner_of_new(identity: Identity, name: ProjectName, admin: AccountName | None) -> AccountName:
    """Return the account that is to own the new project ``name``. Raises as ``create`` does."""
    require_new(identity, name)
    owner = admin or identity.account
    if owner is None:
        raise Rejected("admin: name the account that is to own the project.", field="admin")
    if is_service_name(owner):
        raise Rejected("admin: a service account owns no project.", field="admin")
    if owner != identity.account:
        require_site(identity, Permission.ADMINISTER)
    return owner


def visible_projects(
    unit: UnitOfWork, identity: Identity, *, first: str = "", before: str | None = None
) -> Sequence[ProjectSummary]:
    """Return the projects that ``identity`` may read; its token may narrow them. From the name ``first`` on,
    up to but without the name ``before``, to the end for None."""
    principals = None if identity.is_operator else identity.principals
    found = unit.projects.visible(principals, first=first, before=before)
    if identity.token is None or identity.token.reach.is_all:
        return found
    return [project for project in found if identity.token.reach.covers(project.name)]


def _require_group(unit: UnitOfWork, who: Principal) -> None:
    """Raise ``NotFound`` for a group of this site that is not there."""
    group = principal_group(who)
    found = None if group is None else unit.groups.get(group)
    if group is not None and (found is None or found.deleted_at is not None):
        raise NotFound("group", group)


def _acts(unit: UnitOfWork, who: Principal) -> bool:
    """Whether a principal is an account that may act, or a group of this site with one in it."""
    account, group = principal_account(who), principal_group(who)
    names = set() if account is None else {account}
    found = None if group is None else unit.groups.get(group)
    if found is not None and found.deleted_at is None:
        names |= found.members.keys()
    accounts = (unit.accounts.get(name) for name in names)
    return any(account is not None and account.may_act for account in accounts)


def _vouched_groups(unit: UnitOfWork) -> frozenset[Principal]:
    """Return the groups into which identity providers have put an account that may act."""
    return frozenset().union(*(vouched_groups(account) for account in unit.accounts.all() if account.may_act))


def _keep_an_admin(unit: UnitOfWork, project: Project, leaving: Principal) -> None:
    if project.name in unit.projects.hanging_on(leaving):
        raise Rejected(
            f"The last admin of {project.name} is {principal_words(leaving)}. "
            "Make somebody else an admin first.",
            field="principal",
        )
