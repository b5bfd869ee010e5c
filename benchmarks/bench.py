"""What the groups of rows share: the files, the site, and the servers that run beside each other."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path

from benchmarks.processes import Server
from benchmarks.report import Fsync
from benchmarks.samples import release_of_many, wheel, wheels
from benchmarks.sites import Site
from warehouse14.testing.builders import BuiltFile

LISTER = "lister"
LISTED = 2000


@dataclass
class Bench:
    """One run.

    Attributes:
        folder: where all of it happens; removed at the end.
        seconds: how long each turn of the load lasts.
        fsync: how fast the disk is.
        stack: what is closed at the end of a group.
        say: prints progress.
    """

    folder: Path
    seconds: int
    fsync: Fsync
    stack: ExitStack
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def new_folder(self, name: str) -> Path:
        """Return the path of a folder that is not there yet."""
        return self.folder / f"{next(self._numbers)}-{name}"

    def start(self, server: Server) -> Server:
        """Start a server that runs until the end of the group."""
        return self.stack.enter_context(server)

    @cached_property
    def hundred(self) -> list[BuiltFile]:
        """The files of a project of 100."""
        return wheels("hundred", 100)

    @cached_property
    def thousand(self) -> list[BuiltFile]:
        """The files of a project of 1,000."""
        return wheels("thousand", 1000)

    @cached_property
    def listed(self) -> list[BuiltFile]:
        """One file of each project in the list of projects."""
        return [wheel(f"listed-{number:04}", "1.0") for number in range(LISTED)]

    @cached_property
    def wide(self) -> list[BuiltFile]:
        """The files of a release of 1,000."""
        return release_of_many("wide", 1000)

    @property
    def files(self) -> list[BuiltFile]:
        """All of them."""
        return [*self.hundred, *self.thousand]

    @cached_property
    def site(self) -> Site:
        """The site with these files."""
        self.say("publishing 1,100 files on a new site")
        site = Site(self.new_folder("site"))
        site.publish(self.files)
        return site
