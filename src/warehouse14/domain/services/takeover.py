"""The use case of taking over a site of another program.

Its files pass the gate that every upload passes, and keep their dates. What
was made here belongs to the people here from then on: a later run brings what
is new, and undoes nothing that somebody has decided meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from operator import attrgetter

from warehouse14.domain.access import Permission, allows, operator
from warehouse14.domain.errors import FileExists, Forbidden, Unavailable, WarehouseError
from warehouse14.domain.model import File, Project, Role
from warehouse14.domain.moving.outcomes import (
    FileTaken,
    Noted,
    Opened,
    Outcome,
    ProjectTaken,
    RoleTaken,
    Wishes,
)
from warehouse14.domain.moving.past import decided_opening, decided_roles, made_from
from warehouse14.domain.names import (
    RESERVED_PROJECTS,
    AccountName,
    FileName,
    Principal,
    ProjectName,
    account_principal,
    file_name,
    invitation_principal,
    project_name,
)
from warehouse14.domain.ports import OldFile, OldProject, OldSite, Untaken
from warehouse14.domain.services.oldpeople import OldPeople, Roles
from warehouse14.domain.services.uploadform import Past, UploadForm, form_of, too_large
from warehouse14.domain.services.uploads import may_not_upload
from warehouse14.domain.services.working import is_whole
from warehouse14.domain.warehouse import Warehouse

_CHUNK = 1024 * 1024
#: How much the journal keeps of where a change came from.
_ORIGIN_LENGTH = 200


class Takeover:
    """One run: first the ``projects`` that an old site knows, then its ``files``."""

    def __init__(self, warehouse: Warehouse, site: OldSite, wishes: Wishes) -> None:
        assert wishes.account.account is not None, "files count as uploaded by an account"
        self._account = wishes.account.account
        self._warehouse = warehouse
        self._site = site
        self._wishes = wishes
        self._actor = operator(f"import from {site.name}"[:_ORIGIN_LENGTH])
        self._people = OldPeople(warehouse.units, warehouse.accounts, self._actor, wishes)
        #: The projects that are there and that files may come to.
        self._taken: set[ProjectName] = set()
        #: The digests of what a trial would have listed.
        self._foreseen: dict[tuple[ProjectName, FileName], str] = {}

    def projects(self, projects: Iterable[OldProject]) -> Iterator[Sequence[Outcome]]:
        """Make the projects that are not there, and give the roles that people had.

        Yields what came of each. Raises ``Unavailable``.
        """
        for old in projects:
            outcomes: list[Outcome] = []
            try:
                outcomes.extend(self._project(old))
            except Unavailable:
                raise
            except WarehouseError as error:
                outcomes.append(Untaken(old.name, str(error)))
            yield outcomes

    def files(self, files: Iterable[OldFile]) -> Iterator[Outcome]:
        """Publish the files that are not there, the oldest first, so that the newest says how its project is
        spelled.

        Yields what came of each. Raises ``Unavailable``.
        """
        for file in sorted(files, key=attrgetter("at", "where")):
            try:
                yield self._file(file)
            except Unavailable:
                raise
            except WarehouseError as error:
                yield Untaken(file.where, str(error))

    def _project(self, old: OldProject) -> Iterator[Outcome]:
        name = project_name(old.name)
        here = self._here(name)
        if here is not None and not self._is_from_there(here):
            self._require(here)
            yield Noted(f"{name} was here before: its roles stay as they are.")
            return
        roles: Roles = {}
        yield from self._people.roles(old, roles)
        decided = decided_roles(self._warehouse.units, name)
        if here is None:
            owner = self._owner(roles)
            yield from self._make(old, owner, roles)
            decided |= {account_principal(owner)}
        yield from self._give(name, roles, decided)
        if old.public and not decided_opening(self._warehouse.units, name):
            yield self._open_up(name)

    def _owner(self, roles: Roles) -> AccountName:
        """Return who is to own a project: the first of its admins whose account may act."""
        admins = (who for who, role in roles.items() if role is Role.ADMIN and self._people.may_own(who))
        return next(admins, self._account)

    def _make(self, old: OldProject, owner: AccountName, roles: Roles) -> Iterator[Outcome]:
        if not self._wishes.is_trial:
            self._warehouse.projects.create(self._actor, old.name, admin=owner)
        yield ProjectTaken(project_name(old.name), owner)
        if roles.get(owner) is not Role.ADMIN:
            yield Noted(f"{old.name} belongs to {owner}: nobody who administered it has an account here.")

    def _give(self, name: ProjectName, roles: Roles, decided: frozenset[Principal]) -> Iterator[RoleTaken]:
        """Give the roles that nothing was ``decided`` on here."""
        for who, role in roles.items():
            if decided.isdisjoint({account_principal(who), invitation_principal(who)}):
                if not self._wishes.is_trial:
                    self._warehouse.projects.grant(self._actor, name, account_principal(who), role)
                yield RoleTaken(name, who, role)

    def _open_up(self, name: ProjectName) -> Outcome:
        if not self._wishes.public:
            return Noted(f"{name} was public there and is private here; --public opens it.")
        if not self._wishes.is_trial:
            self._warehouse.projects.set_public(self._actor, name, public=True)
        return Opened(name)

    def _file(self, file: OldFile) -> FileTaken:
        form = _form(file)
        is_to_be_made = self._require_way(project_name(form.name)) is None
        form = replace(form, past=Past(file.at, self._account, makes_project=is_to_be_made))
        if self._is_there(form, file):
            return FileTaken(file.where, is_new=False)
        digests = {"sha256": file.sha256} if file.sha256 else {}
        uploads = self._warehouse.uploads
        if file.size > uploads.max_file_bytes:
            raise too_large(uploads.max_file_bytes)
        with closing(self._site.open(file)) as stream:
            chunks = iter(lambda: stream.read(_CHUNK), b"")
            if self._wishes.is_trial:
                foreseen = uploads.judge(self._actor, form, chunks, digests)
                return FileTaken(file.where, is_new=foreseen.is_new and self._is_first(foreseen.file))
            published = uploads.publish(self._actor, form, chunks, digests)
        return FileTaken(file.where, is_new=published.is_new)

    def _is_there(self, form: UploadForm, file: OldFile) -> bool:
        """Whether a file is listed here that must have the same bytes, and is whole."""
        with self._warehouse.units.read() as unit:
            listed = unit.files.get(project_name(form.name), file_name(form.filename))
        if listed is None or listed.deleted_at is not None or listed.size != file.size:
            return False
        is_same = listed.sha256 == file.sha256 if file.sha256 else listed.uploaded_at == file.at
        return is_same and is_whole(self._warehouse.store, listed)

    def _is_first(self, file: File) -> bool:
        """Whether a trial has seen no other file of this name. Raises ``FileExists`` for other bytes."""
        key = (file.project, file.filename)
        is_first = key not in self._foreseen
        if self._foreseen.setdefault(key, file.sha256) != file.sha256:
            raise FileExists(file.filename)
        return is_first

    def _require_way(self, name: ProjectName) -> ProjectName | None:
        """Return the project that files come to, or None if it is still to be made. Raises ``Forbidden`` for
        one that is somebody else's here."""
        if name in self._taken:
            return name
        here = self._here(name)
        if here is None:
            return None
        if not self._is_from_there(here):
            self._require(here)
        self._taken.add(name)
        return name

    def _here(self, name: ProjectName) -> Project | None:
        """Return a project of this site. Raises ``Forbidden`` for one that was deleted, and for a name that
        no project has."""
        if name in RESERVED_PROJECTS:
            raise Forbidden(f"The name {name} is reserved and cannot be a project.")
        with self._warehouse.units.read() as unit:
            project = unit.projects.get(name)
        if project is not None and project.deleted_at is not None:
            raise Forbidden(f"The project {name} was deleted here, and its name stays taken.")
        return project

    def _is_from_there(self, project: Project) -> bool:
        """Whether an earlier run made a project, and not somebody else."""
        return made_from(self._warehouse.units, project.name) == self._actor.origin

    def _require(self, project: Project) -> None:
        if not allows(self._wishes.account, Permission.UPLOAD, project):
            raise may_not_upload(self._wishes.account, project.name)


def _form(file: OldFile) -> UploadForm:
    """Return what is said of a file: by its name, and by the old site."""
    # Wheels of old build tools are spelled otherwise than the standard says today.
    form = form_of(file.filename, strict=False)
    return form if file.project is None else replace(form, name=file.project, version=None)
