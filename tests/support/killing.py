"""Adapters that end their own process, as ``kill -9`` does, at a chosen step of an upload.

``warehouse14.files = support.killing:file_store`` and ``warehouse14.metadata =
support.killing:units`` stand in front of the real ones, which are called
``engine``. The step is what the file ``armed`` says, if it is there;
it is removed first, so one step kills once. After ``wait`` the process is not
ended there: it makes the file ``reached`` beside, and goes on when that is gone.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

from warehouse14.adapters import dynamodb, filesystem, s3, sql
from warehouse14.domain.model import Action, Change, File
from warehouse14.domain.ports import Arrived, TakesIncoming, TakesParts, UnitOfWork
from warehouse14.settings import Section

#: What the system is asked for when blobs are stored, in files and in a bucket.
_MOVES = frozenset({"os.link", "http.client.send"})

#: Every step between the first byte that reaches the application and the answer.
STEPS = (
    "before the staging",
    "after the staging",
    "before the first write",
    "after the first write",
    "before the inspection",
    "before the metadata",
    "after the metadata",
    "before the sidecar",
    "after the sidecar",
    "before the blobs",
    "before move 1",
    "before move 2",
    "before move 3",
    "after the blobs",
    "before the row",
    "before the journal entry",
    "before the commit",
    "after the commit",
)

#: The step before an entry of the journal, and with that before the end of its transaction.
_ENTRIES = {
    Action.FILE_UPLOAD: "before the journal entry",
    Action.PROJECT_CREATE: "before the project",
    Action.PROJECT_GRANT: "before the role",
    Action.PROJECT_PUBLIC: "before the opening",
}


class Trap:
    """Ends the process at the armed step."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._moves: int | None = None
        sys.addaudithook(self._audit)

    @contextmanager
    def between_moves(self) -> Iterator[None]:
        """Make every link, or every piece of a request, in the block a step of its own."""
        self._moves = 0
        try:
            yield
        finally:
            self._moves = None

    def _audit(self, event: str, _: tuple[Any, ...]) -> None:
        if event in _MOVES and self._moves is not None:
            self._moves += 1
            self(f"before move {self._moves}")

    def __call__(self, step: str) -> None:
        with suppress(FileNotFoundError):
            with open(self._path, encoding="utf-8") as file:
                armed = file.read()
            if armed == step:
                os.unlink(self._path)
                os.kill(os.getpid(), signal.SIGKILL)
            if armed == f"wait {step}":
                reached = os.path.join(os.path.dirname(self._path), "reached")
                os.rename(self._path, reached)
                while os.path.exists(reached):
                    time.sleep(0.005)


def file_store(section: Section) -> Any:
    """Return the file store of ``engine``, trapped by the file ``armed``."""
    trap = Trap(section.path("armed"))
    engines = {"filesystem": filesystem.file_store, "s3": s3.file_store}
    store = TrappedStore(engines[section.text("engine", "filesystem")](section), trap)
    if isinstance(store.real, TakesParts):
        # Of its own: what the class does not have, a protocol may not see.
        store.place = lambda key: TrappedPlace(store.real.place(key), trap)
    if isinstance(store.real, TakesIncoming):
        store.incoming = lambda: TrappedIncoming(store.real.incoming(), trap)
    return store


def units(section: Section) -> Any:
    """Return the units of ``engine``, trapped by the file ``armed``."""
    trap = Trap(section.path("armed"))
    engines = {"sql": sql.units, "dynamodb": dynamodb.units}
    return TrappedUnits(engines[section.text("engine", "sql")](section), trap)


class Proxy:
    """Passes on to the real thing whatever it does not do itself."""

    def __init__(self, real: Any, trap: Trap) -> None:
        self.real = real
        self.trap = trap

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class TrappedStore(Proxy):
    """A file store with traps."""

    place: Any
    incoming: Any

    @contextmanager
    def stage(self) -> Iterator[Any]:
        self.trap("before the staging")
        with self.real.stage() as staged:
            self.trap("after the staging")
            yield TrappedStaged(staged, self.trap)


class TrappedPlace(Proxy):
    """Where parts come to, with traps for whoever reads what has come."""

    def waiting(self) -> "TrappedStaged":
        return TrappedStaged(self.real.waiting(), self.trap)


class TrappedIncoming(Proxy):
    """Where others put whole files, with traps for whoever takes them in."""

    def waiting(self, arrived: Arrived) -> "TrappedStaged":
        return TrappedStaged(self.real.waiting(arrived), self.trap)

    def note(self, key: str, text: str, *, tag: str) -> Any:
        # Of a file whose check has only begun, the tag is not all that is said.
        what = "beginning" if " " in tag else "text"
        self.trap(f"before the {what}")
        done = self.real.note(key, text, tag=tag)
        self.trap(f"after the {what}")
        return done

    def remove_note(self, key: str) -> None:
        self.trap("before the text goes")
        self.real.remove_note(key)
        self.trap("after the text goes")

    def remove(self, arrived: Arrived) -> None:
        self.trap("before the removal")
        self.real.remove(arrived)
        self.trap("after the removal")


class TrappedStaged(Proxy):
    """A staged file with traps."""

    def write(self, data: bytes) -> None:
        self.trap("before the first write")
        self.real.write(data)
        self.trap("after the first write")

    def reader(self) -> BinaryIO:
        self.trap("before the inspection")
        reader: BinaryIO = self.real.reader()
        return reader

    def beside(self, key: str, data: bytes) -> None:
        what = "metadata" if key.endswith(".metadata") else "sidecar"
        self.trap(f"before the {what}")
        self.real.beside(key, data)
        self.trap(f"after the {what}")

    def commit(self, key: str) -> None:
        self.trap("before the blobs")
        with self.trap.between_moves():
            self.real.commit(key)
        self.trap("after the blobs")


class TrappedUnits(Proxy):
    """Units with traps in those that list a file."""

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self.real.write() as unit:
            files = TrappedFiles(unit.files, self.trap)
            journal = TrappedJournal(unit.journal, self.trap)
            yield TrappedUnit(unit, self.trap, files, journal)
            if files.touched:
                self.trap("before the commit")
        if files.touched:
            self.trap("after the commit")


class TrappedUnit(Proxy):
    """A unit whose files and journal have traps."""

    def __init__(
        self, unit: UnitOfWork, trap: Trap, files: "TrappedFiles", journal: "TrappedJournal"
    ) -> None:
        super().__init__(unit, trap)
        self.files, self.journal = files, journal


class TrappedFiles(Proxy):
    """Files with a trap; knows whether one was added."""

    touched = False

    def add(self, file: File) -> None:
        self.touched = True
        self.trap("before the row")
        self.real.add(file)


class TrappedJournal(Proxy):
    """A journal with a trap."""

    def append(self, change: Change) -> None:
        if change.action in _ENTRIES:
            self.trap(_ENTRIES[change.action])
        self.real.append(change)
