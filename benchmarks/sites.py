"""A site of this index, prepared by its own command line and, in bulk, as a library."""

import hashlib
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from plaster import get_loader

from benchmarks.processes import Server, free_port, output_of
from benchmarks.settings import MIB, ROOT
from warehouse14 import open_warehouse
from warehouse14.domain.credentials import random_password
from warehouse14.domain.model import Action, Change, File, FileType, Latest, Project, Role
from warehouse14.domain.names import FileName, ProjectName, account_name, account_principal
from warehouse14.domain.services.uploadform import UploadForm
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile

PUBLISHER = "ada"


class Site:
    """A copy of ``development.ini`` in a folder of its own, with the account ada.

    ``engines`` are settings in the place of those of the database or the files.
    """

    def __init__(self, folder: Path, engines: Mapping[str, str] | None = None) -> None:
        folder.mkdir()
        self._folder = folder
        self._ini = folder / "site.ini"
        shutil.copy(ROOT / "development.ini", self._ini)
        if engines:
            self._keep_in(engines)
        self._command("init", "--no-admin")
        self.credentials = self.add_account(PUBLISHER)

    def add_account(self, name: str) -> Mapping[str, str]:
        """Add an account without a password; return the header with a token of its own."""
        with closing(self.warehouse()) as warehouse:
            warehouse.accounts.add(warehouse.operator(), name)
        token = self._command("token", "mint", name, "--name", "benchmarks", "--scope", "upload")
        return {"Authorization": "Basic " + b64encode(f"__token__:{token}".encode()).decode()}

    def sign_in(self, name: str) -> str:
        """Return the session cookie of an account that signed in with a browser."""
        with closing(self.warehouse()) as warehouse:
            password = random_password()
            warehouse.accounts.set_password(warehouse.operator(), name, password)
            return warehouse.sessions.sign_in(name, password, origin="127.0.0.1").secret

    def configure(self, settings: Mapping[str, str]) -> None:
        """Set keys of the site, before it is served."""
        lines = "".join(f"warehouse14.{key} = {value}\n" for key, value in settings.items())
        text = self._ini.read_text(encoding="utf-8")
        self._ini.write_text(text.replace("[app:main]\n", f"[app:main]\n{lines}", 1), encoding="utf-8")

    def warehouse(self) -> Warehouse:
        """Open the site in this process, beside the servers."""
        return open_warehouse(self.settings())

    def settings(self) -> Mapping[str, str]:
        """Return what its ini says of the site."""
        known = get_loader(str(self._ini), protocols=["wsgi"]).get_settings("app:main")
        return {key: value for key, value in known.items() if key != "use"}

    def server(self) -> Server:
        """Return a server of the site, not yet started."""
        port = free_port()
        command = [*self._program(), "serve", "--listen", f"127.0.0.1:{port}"]
        return Server("this index", command, self._folder, port=port, ready="/health")

    def publish(self, files: Iterable[BuiltFile]) -> None:
        """Publish small files as ada, with every check."""
        with closing(self.warehouse()) as warehouse:
            publish(warehouse, files)

    def add_projects(self, owner: str, count: int, *, start: int = 0) -> None:
        """Make projects that say what a release of theirs is for, in one transaction."""
        now = datetime.now(UTC)
        grants = {account_principal(account_name(owner)): Role.ADMIN}
        with closing(self.warehouse()) as warehouse, warehouse.units.write() as unit:
            for number in range(start, start + count):
                name = ProjectName(f"listed-{number:04}")
                latest = Latest("1.0", f"Reads the number {number} from the data lake", now)
                project = Project(name, name.title(), False, now, owner, grants, latest=latest)
                unit.projects.create(project)
                unit.journal.append(Change(Action.PROJECT_CREATE, now, owner, "", project=name))

    def add_zeros(self, size: int) -> str:
        """List a file of ``size`` zeros, which no upload would accept; return its path on the server."""
        name = ProjectName("large")
        filename = FileName(f"{name}-{size // MIB}-py3-none-any.whl")
        block, digest = bytes(MIB), hashlib.sha256()
        now = datetime.now(UTC)
        with closing(self.warehouse()) as warehouse:
            with warehouse.store.stage() as staged:
                for _ in range(size // MIB):
                    staged.write(block)
                    digest.update(block)
                sha256 = digest.hexdigest()
                file = File(
                    name,
                    filename,
                    str(size // MIB),
                    FileType.WHEEL,
                    size,
                    sha256,
                    sha256,
                    None,
                    "",
                    None,
                    now,
                    "",
                )
                staged.commit(file.key)
            with warehouse.units.write() as unit:
                if unit.projects.get(name) is None:
                    grants = {account_principal(account_name(PUBLISHER)): Role.ADMIN}
                    unit.projects.create(Project(name, name, False, now, PUBLISHER, grants))
                unit.files.add(file)
                unit.journal.append(Change(Action.FILE_UPLOAD, now, PUBLISHER, "", project=name))
        return f"/packages/{name}/{filename}"

    def blob(self, path: str) -> Path:
        """Return the stored file behind a path on the server."""
        _, _, project, filename = path.split("/")
        (found,) = (self._folder / "var" / "files" / "blobs" / project).glob(f"*/{filename}")
        return found

    def _keep_in(self, engines: Mapping[str, str]) -> None:
        """Set what the ports need, and nothing else of them."""
        ports = tuple(f"warehouse14.{key.partition('.')[0]}" for key in engines)
        lines = self._ini.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(ports)]
        self._ini.write_text("".join(kept), encoding="utf-8")
        self.configure(engines)

    def _command(self, *arguments: str) -> str:
        return output_of(*self._program(), *arguments)

    def _program(self) -> list[str | Path]:
        return [Path(sys.executable).parent / "warehouse14", "--ini", self._ini]


def publish(warehouse: Warehouse, files: Iterable[BuiltFile]) -> None:
    """Publish small files as ada, from this process."""
    identity = warehouse.account(PUBLISHER)
    for file in files:
        name, version, *_ = file.filename.split("-")
        form = UploadForm(name=name, filetype=file.filetype, filename=file.filename, version=version)
        warehouse.uploads.publish(identity, form, [file.content])
