"""What every use case shares: trying again after a lost race, saying who did it, finding what it changes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar
from unicodedata import category

from warehouse14.domain.access import (
    Identity,
    Permission,
    allows,
    allows_new,
    allows_site,
    manages_group,
    sees_group,
)
from warehouse14.domain.errors import AlreadyExists, Conflict, Forbidden, NotFound, Rejected, Unavailable
from warehouse14.domain.model import Action, Change, File, Group, Project
from warehouse14.domain.names import AccountName, GroupName, ProjectName
from warehouse14.domain.ports import FileStore, Now, UnitOfWork, Units

Result = TypeVar("Result")
#: Runs something that nobody waits for.
Later = Callable[[Callable[[], None]], None]

#: What a unit holds that takes away what somebody may administer, or that gives what it counts on. One that
#: holds a project, too, holds that before.
ROLES = ":roles"

_ATTEMPTS = 8
#: For how many seconds a change is begun anew. Each time waits for others within limits of its own.
_PATIENCE = 20.0
#: For how many seconds it is sure that a name is held. Some engines hold it for ten, of which a request to a
#: slow file store may take the rest.
_SURE = 3.0
#: What ends a line, or speaks to a terminal.
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})


def attempt(units: Units, work: Callable[[UnitOfWork], Result]) -> Result:
    """Return what ``work`` returns from a unit that was committed.

    After a lost race it decides anew on what is there by then. Raises
    ``Unavailable`` when it has lost too often or for too long, and whatever ``work`` raises.
    """
    end = time.monotonic() + _PATIENCE
    for _ in range(_ATTEMPTS):
        try:
            with units.write() as unit:
                return work(unit)
        except AlreadyExists:
            raise
        except Conflict as conflict:
            lost = conflict
        if time.monotonic() >= end:
            break
    raise Unavailable("Too many others change the same thing. Try again.") from lost


def hold(unit: UnitOfWork, name: ProjectName) -> Callable[[], bool]:
    """Hold a project, and return what says whether it is still sure that no other unit does: who looks at
    its blobs asks once more before deleting one."""
    unit.hold(name)
    end = time.monotonic() + _SURE
    return lambda: time.monotonic() <= end


def is_listed(units: Units, file: File) -> bool:
    """Whether ``file`` has not been deleted since it was looked at."""
    with units.read() as unit:
        project = unit.projects.get(file.project)
        found = unit.files.get(file.project, file.filename)
    return bool(project and project.deleted_at is None and found and found.deleted_at is None)


def is_whole(store: FileStore, file: File) -> bool:
    """Whether all blobs of ``file`` are in a store, the file itself with its size."""
    return not lacking(store, file)


def lacking(store: FileStore, file: File) -> Sequence[str]:
    """Return the keys of those blobs of ``file`` that a store lacks; one of another size is not the file."""
    found = {key: store.stat(key) for key in file.keys}
    return [
        key for key, blob in found.items() if blob is None or (key == file.key and blob.size != file.size)
    ]


def entry(
    action: Action,
    identity: Identity,
    now: Now,
    *,
    project: ProjectName | None = None,
    account: AccountName | None = None,
    group: GroupName | None = None,
    token: str | None = None,
    detail: Mapping[str, str] | None = None,
) -> Change:
    """Return the journal entry of what ``identity`` does now."""
    return replace(
        entry_of(identity.name, identity.origin, action, now),
        project=project,
        account=account,
        group=group,
        token=token,
        by_token=identity.token.id if identity.token else None,
        detail=detail or {},
    )


def entry_of(actor: str, origin: str, action: Action, now: Now) -> Change:
    """Return the journal entry of what somebody does now who is no identity of this site."""
    return Change(action=action, at=now(), actor=actor, origin=origin[:200])


def require(identity: Identity, permission: Permission, project: Project) -> None:
    """Raise ``NotFound`` to those who may not know of ``project``, ``Forbidden`` to the others who
    may not do it."""
    if allows(identity, permission, project):
        return
    if not allows(identity, Permission.READ, project):
        raise NotFound("project", project.name)
    raise Forbidden(f"{identity.name} may not {permission} in the project {project.name}.")


def require_site(identity: Identity, permission: Permission) -> None:
    """Raise ``Forbidden`` unless ``identity`` may do it on the site."""
    if not allows_site(identity, permission):
        raise Forbidden(f"{identity.name} may not {permission} on this site.")


def one_line(text: str, *, field: str, most: int) -> str:
    """Return ``text`` if it is one line without control characters, of at most ``most``: others print it.

    Raises ``Rejected``.
    """
    if len(text) > most or not _CONTROLS.isdisjoint(map(category, text)):
        raise Rejected(
            f"{field}: write one line of at most {most} characters, without control characters.",
            field=field,
        )
    return text


def require_new(identity: Identity, name: ProjectName) -> None:
    """Raise ``Forbidden`` unless ``identity`` may take the new project name ``name``."""
    if not allows_new(identity, name):
        raise Forbidden(f"{identity.name} may not {Permission.CREATE} the project {name}.")


def live_project(unit: UnitOfWork, name: ProjectName) -> Project:
    """Return the project, or raise ``NotFound`` for one that is absent or deleted."""
    project = unit.projects.get(name)
    if project is None or project.deleted_at is not None:
        raise NotFound("project", name)
    return project


def permitted_project(
    unit: UnitOfWork, identity: Identity, permission: Permission, name: ProjectName
) -> Project:
    """Return the project that ``identity`` may do ``permission`` on. Raises as ``require`` does."""
    project = live_project(unit, name)
    require(identity, permission, project)
    return project


def seen_group(unit: UnitOfWork, identity: Identity, name: GroupName) -> Group:
    """Return a group that ``identity`` may see. Raises ``NotFound``."""
    group = unit.groups.get(name)
    if group is None or group.deleted_at is not None or not sees_group(identity, group):
        raise NotFound("group", name)
    return group


def managed_group(unit: UnitOfWork, identity: Identity, name: GroupName) -> Group:
    """Return a group that ``identity`` manages. Raises ``NotFound`` and ``Forbidden``."""
    group = seen_group(unit, identity, name)
    if not manages_group(identity, group):
        raise Forbidden(f"{identity.name} is no admin of the group {name}.")
    return group
