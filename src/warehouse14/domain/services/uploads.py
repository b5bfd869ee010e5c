"""Publishing a file: the form, the right, the bytes, the inspection, and one short transaction.

The order is that of the upload rules: cheap refusals, the right to upload,
and only then the content, read once and hashed while it is staged; identical
bytes are fine and change nothing; a conflict is said before the archive is
opened. The blob is put before the row: a commit that fails leaves a blob
that nobody refers to, never a listed file that cannot be downloaded. One
that is refused in the transaction takes its blobs away again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from warehouse14.domain.access import Identity, Permission, SiteRules, allows, allows_new
from warehouse14.domain.archives import Inspected, inspect_archive, name_warnings
from warehouse14.domain.errors import AlreadyExists, Forbidden, Rejected
from warehouse14.domain.lasting import ends_soon
from warehouse14.domain.model import Action, File, Project
from warehouse14.domain.names import RESERVED_PROJECTS, ProjectName
from warehouse14.domain.ports import FileStore, Now, UnitOfWork, Units, Waiting
from warehouse14.domain.services.standings import as_of_now, hold_for
from warehouse14.domain.services.uploaded import first_project, new_file, same_file, show
from warehouse14.domain.services.uploadedblobs import UploadedBlobs
from warehouse14.domain.services.uploadform import (
    DIGESTS,
    Claim,
    UploadForm,
    check_digests,
    compare_digests,
    read_form,
    too_large,
)
from warehouse14.domain.services.working import ROLES, attempt, entry

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome.

    Attributes:
        file: as it is listed.
        is_new: whether it was not there before, with the same bytes.
        warnings: sentences for its publisher; none of them was a reason to refuse it.
    """

    file: File
    is_new: bool
    warnings: tuple[str, ...] = ()


class UploadService:
    """The use case of publishing."""

    def __init__(
        self,
        units: Units,
        store: FileStore,
        now: Now,
        rules: SiteRules,
        *,
        max_file_bytes: int,
        create_on_upload: bool,
    ) -> None:
        self._units = units
        self._rules = rules
        self._store = store
        self._blobs = UploadedBlobs(units, store)
        self._now = now
        self._create_on_upload = create_on_upload
        self.max_file_bytes = max_file_bytes

    def publish(
        self,
        identity: Identity,
        form: UploadForm,
        chunks: Iterable[bytes],
        digests: Mapping[str, str] | None = None,
    ) -> Published:
        """Publish a file whose bytes are at hand.

        Args:
            identity: who acts.
            form: what is said of the file.
            chunks: its bytes, in pieces.
            digests: what they must hash to, in hex, by ``sha256``, ``blake2_256`` or ``md5``.

        Raises:
            Rejected: a rule of the index is broken; the message says which and what would be right.
            TooLarge: it is larger than ``max_file_bytes``.
            FileExists: a listed file has this name and other bytes.
            Forbidden: the identity may not upload here.
            Unavailable: the store or the database does not answer; nothing is listed.
        """
        with self.receive(identity, form) as upload:
            for chunk in chunks:
                upload.write(chunk)
            return upload.finish(digests or {})

    @contextmanager
    def receive(self, identity: Identity, form: UploadForm) -> Iterator["Upload"]:
        """Decide whether ``identity`` may upload, and return where the bytes go.

        What is not finished in the ``with`` block is gone after it. Raises as
        :meth:`publish` does.
        """
        claim = self._permitted(identity, form)
        with self._store.stage() as staged:
            yield Upload(self, identity, claim, staged, staged.write)

    def expect(self, identity: Identity, form: UploadForm, *, size: int, sha256: str) -> Published | None:
        """Judge what is said of a file before any of it is sent: return the listed file if it is there
        already with these bytes.

        ``size`` is in bytes. Raises as :meth:`publish` does.
        """
        claim = read_form(form)
        check_digests({"sha256": sha256}, required=True)
        if size > self.max_file_bytes:
            raise too_large(self.max_file_bytes)
        existing = self._existing(identity, claim, {"sha256": sha256.strip().lower()})
        if existing is None or not self._blobs.are_there(existing):
            return None
        return Published(existing, is_new=False, warnings=self._warnings_of(identity, claim))

    def permit(self, identity: Identity, form: UploadForm) -> None:
        """Raise ``Forbidden`` unless ``identity`` may upload the file that ``form`` speaks of."""
        self._permitted(identity, form)

    def publish_waiting(
        self, identity: Identity, form: UploadForm, waiting: Waiting, digests: Mapping[str, str]
    ) -> Published:
        """Publish a file that a store has already, where nobody sees it. Raises as :meth:`publish` does."""
        claim = self._permitted(identity, form)
        upload = Upload(self, identity, claim, waiting)
        with waiting.reader() as stream:
            while data := stream.read(_CHUNK):
                upload.write(data)
        return upload.finish(digests)

    def warnings(self, identity: Identity) -> tuple[str, ...]:
        """Return what a publisher is to know of the token that they publish with."""
        left = ends_soon(identity.token.expires_at, self._now()) if identity.token else ""
        return (f"The token of this upload ends {left}. Rotate it before that.",) if left else ()

    def judge(
        self,
        identity: Identity,
        form: UploadForm,
        chunks: Iterable[bytes],
        digests: Mapping[str, str] | None = None,
    ) -> Published:
        """Return what publishing would, or raise what that would, and change nothing."""
        with self.receive(identity, form) as upload:
            for chunk in chunks:
                upload.write(chunk)
            return upload.judge(digests or {})

    def _warnings_of(self, identity: Identity, claim: Claim) -> tuple[str, ...]:
        return (*name_warnings(claim.filename), *self.warnings(identity))

    def _permitted(self, identity: Identity, form: UploadForm) -> Claim:
        claim = read_form(form)
        with self._units.read() as unit:
            self._permit(identity, claim, unit.projects.get(claim.project))
        return claim

    def _permit(self, identity: Identity, claim: Claim, project: Project | None) -> None:
        """Raise ``Forbidden`` unless the upload is allowed: what the token lacks is said, all else in one
        text."""
        if claim.past is not None and not identity.is_operator:
            raise Forbidden("Who runs the site alone says when and by whom a file was published.")
        if identity.token is not None and not identity.token.lets_through(Permission.UPLOAD):
            raise Forbidden("This token does not publish. Make one with the scope upload.")
        if project is not None and claim.past is not None and claim.past.makes_project:
            raise Forbidden(
                f"The project {claim.project} was made here meanwhile. Run this again: "
                f"then the rights of {claim.past.by} decide."
            )
        if project is None:
            allowed = claim.project not in RESERVED_PROJECTS and self._may_create(identity, claim)
        else:
            allowed = project.deleted_at is None and allows(identity, Permission.UPLOAD, project)
        if not allowed:
            raise may_not_upload(identity, claim.project)

    def _may_create(self, identity: Identity, claim: Claim) -> bool:
        """Whether the project of a first upload may be made: it needs an owner."""
        if identity.is_operator:
            return claim.past is not None
        return self._create_on_upload and allows_new(identity, claim.project)

    def _settle(
        self, identity: Identity, claim: Claim, staged: Waiting, hashes: Mapping[str, str], size: int
    ) -> Published:
        """Compare with what is there, inspect, store, and list."""
        project, existing = self._look(identity, claim, hashes)
        if existing is not None and self._blobs.are_sound(existing):
            return Published(existing, is_new=False)
        inspected = _inspected(claim, staged)
        if existing is not None:
            self._blobs.put_again(staged, existing, inspected)
            return Published(self._confirm(identity, claim, existing, hashes), is_new=False)
        file = new_file(claim, inspected, hashes, size, identity, self._now)
        self._blobs.put(staged, file, inspected)
        try:
            return self._list(identity, claim, file, inspected.display_name, hashes, is_first=project is None)
        except (AlreadyExists, Forbidden, Rejected):
            # Another was faster, or took the right away meanwhile.
            self._blobs.drop(file)
            raise

    def _foresee(
        self, identity: Identity, claim: Claim, staged: Waiting, hashes: Mapping[str, str], size: int
    ) -> Published:
        """Return what :meth:`_settle` would."""
        existing = self._existing(identity, claim, hashes)
        if existing is not None and self._blobs.are_sound(existing):
            return Published(existing, is_new=False)
        file = new_file(claim, _inspected(claim, staged), hashes, size, identity, self._now)
        return Published(existing or file, is_new=existing is None)

    def _confirm(self, identity: Identity, claim: Claim, file: File, hashes: Mapping[str, str]) -> File:
        """Return a file that is still listed and whole again. Raises as :meth:`publish` does."""

        def work(unit: UnitOfWork) -> File:
            unit.hold(file.project)
            uploader = as_of_now(unit, identity, self._rules, self._now)
            self._permit(uploader, claim, unit.projects.get(file.project))
            listed = unit.files.get(file.project, file.filename)
            assert listed is not None, "the row of a file stays"
            self._blobs.require(file)
            return same_file(listed, hashes)

        return attempt(self._units, work)

    def _list(
        self,
        identity: Identity,
        claim: Claim,
        file: File,
        display_name: str,
        hashes: Mapping[str, str],
        *,
        is_first: bool,
    ) -> Published:
        """List a file; ``is_first``: its project was not there, nor ever, a moment ago."""

        def work(unit: UnitOfWork) -> Published:
            unit.hold(file.project)
            # It asks the store, before who acts is looked at: that may take long.
            self._blobs.require(file)
            # The file may have been on its way for hours. To make a project gives a role.
            if is_first:
                uploader = hold_for(unit, identity, self._rules, self._now, ROLES)
            else:
                uploader = as_of_now(unit, identity, self._rules, self._now)
            project = unit.projects.get(claim.project)
            self._permit(uploader, claim, project)
            existing = unit.files.get(file.project, file.filename)
            if existing is not None:
                return Published(same_file(existing, hashes), is_new=False)
            detail: dict[str, str] = {"files": file.filename}
            if project is None:
                unit.projects.create(first_project(identity, claim, file, display_name, self._now))
                detail["project"] = "created"
            else:
                show(unit, project, file, display_name)
            unit.files.add(file)
            unit.journal.append(
                entry(Action.FILE_UPLOAD, identity, self._now, project=file.project, detail=detail)
            )
            return Published(file, is_new=True)

        return attempt(self._units, work)

    def _existing(self, identity: Identity, claim: Claim, hashes: Mapping[str, str]) -> File | None:
        return self._look(identity, claim, hashes)[1]

    def _look(
        self, identity: Identity, claim: Claim, hashes: Mapping[str, str]
    ) -> tuple[Project | None, File | None]:
        """Return the project of a file and, if it is listed, the file. Raises as :meth:`publish` does."""
        with self._units.read() as unit:
            project = unit.projects.get(claim.project)
            self._permit(identity, claim, project)
            existing = unit.files.get(claim.project, claim.filename)
        return project, None if existing is None else same_file(existing, hashes)


def may_not_upload(identity: Identity, name: ProjectName) -> Forbidden:
    """Return what is said to whoever may not upload to a project, whether it is there or not."""
    return Forbidden(
        f"{identity.name} may not upload to the project {name}. Ask one of its admins for the role admin. "
        "If it is new, create it first."
    )


def _inspected(claim: Claim, staged: Waiting) -> Inspected:
    with staged.reader() as stream:
        return inspect_archive(
            stream,
            claim.filename,
            claim.filetype,
            project=claim.project,
            version=claim.version,
            strict_wheel_names=claim.strict,
        )


class Upload:
    """A file on its way in. What is written goes on to ``keep``, unless it is kept already."""

    def __init__(
        self,
        service: UploadService,
        identity: Identity,
        claim: Claim,
        staged: Waiting,
        keep: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._service = service
        self._identity = identity
        self._claim = claim
        self._staged = staged
        self._keep = keep
        self._hashes = {name: new() for name, new in DIGESTS.items()}
        self._size = 0

    def write(self, data: bytes) -> None:
        """Take the next piece. Raises ``TooLarge`` when the limit is passed."""
        self._size += len(data)
        if self._size > self._service.max_file_bytes:
            raise too_large(self._service.max_file_bytes)
        for running in self._hashes.values():
            running.update(data)
        self._keep(data)

    def finish(self, digests: Mapping[str, str]) -> Published:
        """List the file if it passes every rule; ``digests`` are those that were declared."""
        hashes = self._compared(digests)
        published = self._service._settle(  # noqa: SLF001
            self._identity, self._claim, self._staged, hashes, self._size
        )
        warnings = self._service._warnings_of(self._identity, self._claim)  # noqa: SLF001
        return replace(published, warnings=warnings)

    def judge(self, digests: Mapping[str, str]) -> Published:
        """Return what :meth:`finish` would, and list nothing."""
        hashes = self._compared(digests)
        return self._service._foresee(  # noqa: SLF001
            self._identity, self._claim, self._staged, hashes, self._size
        )

    def _compared(self, digests: Mapping[str, str]) -> Mapping[str, str]:
        hashes = {name: running.hexdigest() for name, running in self._hashes.items()}
        compare_digests(digests, hashes)
        return hashes
