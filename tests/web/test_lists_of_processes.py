"""Lists of projects in two processes on one database: right, and the same bytes, whatever was written."""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader

from support.backends import Pair
from warehouse14.bootstrap import assemble
from warehouse14.domain.access import Identity, Permission, allows
from warehouse14.domain.followed import FollowedCache
from warehouse14.domain.index import Index
from warehouse14.domain.model import Action, Role, Scope
from warehouse14.domain.names import ProjectName
from warehouse14.domain.services.working import entry
from warehouse14.domain.warehouse import Warehouse
from warehouse14.web.lists import ProjectLists
from warehouse14.web.negotiation import Offer
from warehouse14.web.page import Page

pytestmark = pytest.mark.thorough

TEMPLATES = Environment(loader=PackageLoader("warehouse14.web"), autoescape=True)
FORMS = [(offer, compressed) for offer in (Offer.JSON, Offer.HTML) for compressed in (False, True)]
NAMES = [ProjectName(f"p{number:04}") for number in range(2000)]
#: How many there are about, in parts of four.
MANY = 80
CHANGES = 150
SERVERS = ["sqlite", "postgresql"]


@dataclass
class Process:
    """A process of a site: what it keeps is its own."""

    warehouse: Warehouse
    lists: ProjectLists

    def page(self, token: str, offer: Offer, *, compressed: bool) -> Page:
        """Answer a request."""
        self.warehouse.index.cache.follow()
        identity = self.warehouse.tokens.identify(token, follow=False)
        return self.lists.page(identity, offer, compressed=compressed)

    def names(self, token: str) -> list[str]:
        body = self.page(token, Offer.JSON, compressed=False).body
        return [project["name"] for project in json.loads(body)["projects"]]

    def anew(self, identity: Identity, offer: Offer, *, compressed: bool) -> Page:
        """Return the list as a process makes it that has none."""
        units = self.warehouse.units
        index = Index(units, FollowedCache(units, max_bytes=1_000_000))
        return ProjectLists(index, TEMPLATES).page(identity, offer, compressed=compressed)


@pytest.fixture
def processes(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Process]]:
    """Two processes on one site, whose lists have parts of about four projects."""
    monkeypatch.setattr("warehouse14.web.lists._PART", 4)
    with Pair(request.param, "filesystem").opened(request.getfixturevalue) as backends:
        for name, value in backends.variables.items():
            monkeypatch.setenv(name, value)
        sqlite = {"warehouse14.metadata": "sql", "warehouse14.metadata.url": f"sqlite:///{tmp_path}/db"}
        settings = (backends.settings or sqlite) | {"warehouse14.files": "memory"}
        warehouses = [assemble(settings, {}).warehouse for _ in range(2)]
        warehouses[0].prepare()
        yield [Process(warehouse, ProjectLists(warehouse.index, TEMPLATES)) for warehouse in warehouses]
        for warehouse in warehouses:
            warehouse.close()


class Writer:
    """Changes by chance whatever decides who sees what, through either process."""

    def __init__(self, processes: list[Process], chosen: random.Random) -> None:
        self._chosen = chosen
        self._processes = processes
        self._new = chosen.sample(NAMES, len(NAMES))
        self.there: list[ProjectName] = []

    def change(self) -> None:
        """Change one thing."""
        doing = [
            self._grant, self._grant, self._revoke, self._open, self._close, self._spell, self._note,
            self._join, self._leave, self._create if len(self.there) < MANY else self._delete,
        ]  # fmt: skip
        warehouse = self._chosen.choice(self._processes).warehouse
        self._chosen.choice(doing)(warehouse)

    def create(self) -> None:
        """Make a new project."""
        self._create(self._processes[0].warehouse)

    def _create(self, warehouse: Warehouse) -> None:
        name = self._new.pop()
        public = self._chosen.random() < 0.3
        warehouse.projects.create(warehouse.operator(), name, admin="ada", public=public)
        self.there.append(name)

    def _delete(self, warehouse: Warehouse) -> None:
        name = self._any()
        warehouse.projects.delete(warehouse.operator(), name)
        self.there.remove(name)

    def _grant(self, warehouse: Warehouse) -> None:
        warehouse.projects.grant(warehouse.operator(), self._any(), self._who(), Role.MEMBER)

    def _revoke(self, warehouse: Warehouse) -> None:
        name, who = self._any(), self._who()
        if who in warehouse.projects.get(warehouse.operator(), name).grants:
            warehouse.projects.revoke(warehouse.operator(), name, who)

    def _open(self, warehouse: Warehouse) -> None:
        warehouse.projects.set_public(warehouse.operator(), self._any(), public=True)

    def _close(self, warehouse: Warehouse) -> None:
        warehouse.projects.set_public(warehouse.operator(), self._any(), public=False)

    def _spell(self, warehouse: Warehouse) -> None:
        """Spell a project otherwise, as an upload does."""
        name = self._any()
        with warehouse.units.write() as unit:
            project = unit.projects.get(name)
            assert project is not None
            unit.projects.set_latest(name, project.display_name.swapcase(), None, expected=project.serial)
            unit.journal.append(
                entry(Action.FILE_UPLOAD, warehouse.operator(), warehouse.now, project=project.name)
            )

    def _note(self, warehouse: Warehouse) -> None:
        """Change something that no list depends on."""
        name = f"x{self._chosen.randrange(10**9)}"
        warehouse.accounts.add(warehouse.operator(), name)

    def _join(self, warehouse: Warehouse) -> None:
        if "carol" not in self._members(warehouse):
            warehouse.groups.add(warehouse.operator(), "team", "carol")

    def _leave(self, warehouse: Warehouse) -> None:
        if "carol" in self._members(warehouse):
            warehouse.groups.remove(warehouse.operator(), "team", "carol")

    def _members(self, warehouse: Warehouse) -> set[str]:
        return set(warehouse.groups.get(warehouse.operator(), "team").members)

    def _any(self) -> ProjectName:
        return self._chosen.choice(self.there)

    def _who(self) -> str:
        return self._chosen.choice(["account:bob", "group:team"])


def _tokens(warehouse: Warehouse, one: ProjectName) -> list[str]:
    """Return tokens that see what bob sees, carol, dave, and bob of one project, and of some."""
    operator = warehouse.operator()
    for name in ("ada", "bob", "carol", "dave"):
        warehouse.accounts.add(operator, name)
    warehouse.groups.create(operator, "team", admin="dave")
    wanted = [("bob", None), ("carol", None), ("dave", None), ("bob", "p0*"), ("carol", one)]
    warehouse.projects.create(operator, one, admin="ada", public=True)
    return [
        warehouse.tokens.mint(operator, name="t", account=who, scopes={Scope.READ}, project=project).text
        for who, project in wanted
    ]


def _may_see(warehouse: Warehouse, identity: Identity) -> list[str]:
    """Return what the rules say, one project after the other."""
    with warehouse.units.read() as unit:
        every = [project for project in unit.projects.changed_since(-1) if project.deleted_at is None]
    return [project.name for project in every if allows(identity, Permission.READ, project)]


@pytest.mark.parametrize("processes", SERVERS, indirect=True)
def test_after_any_changes_both_processes_send_what_a_new_one_would(processes: list[Process]) -> None:
    chosen = random.Random(14)  # noqa: S311
    writer = Writer(processes, chosen)
    tokens = _tokens(processes[0].warehouse, ProjectName("p1000-one"))
    writer.there.append(ProjectName("p1000-one"))
    for _ in range(MANY):
        writer.create()
    done = 0
    while done < CHANGES:
        for _ in range(chosen.choice([1, 1, 1, 2, 5])):
            writer.change()
            done += 1
        # Not all are asked each time: a list may be several changes old.
        for process in processes:
            for token in chosen.sample(tokens, 2):
                identity = process.warehouse.tokens.identify(token)
                assert process.names(token) == _may_see(process.warehouse, identity)
                for offer, compressed in chosen.sample(FORMS, 2):
                    page = process.page(token, offer, compressed=compressed)
                    assert page == process.anew(identity, offer, compressed=compressed)
                    if compressed:
                        assert gzip.decompress(page.body) == process.page(token, offer, compressed=False).body


class Crowd:
    """Some who make public projects and delete every third, and some who read lists meanwhile."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.made: set[str] = set()
        self.going: set[str] = set()
        self.gone: set[str] = set()

    def write(self, process: Process, names: Sequence[str]) -> None:
        projects, operator = process.warehouse.projects, process.warehouse.operator()
        for number, name in enumerate(names):
            projects.create(operator, name, admin="ada", public=True)
            self.made.add(name)
            if number % 3 == 0:
                self.going.add(name)
                projects.delete(operator, name)
                self.gone.add(name)

    def read(self, process: Process, writing: Sequence[Future[None]]) -> int:
        """Read until all is written; return how often."""
        times = 0
        while not all(each.done() for each in writing):
            made, gone = set(self.made), set(self.gone)
            names = process.names(self._token)
            assert names == sorted(set(names))
            assert made - self.going <= set(names)
            assert gone.isdisjoint(names)
            times += 1
        return times


@pytest.mark.parametrize(
    "processes",
    [*SERVERS, pytest.param("dynamodb", marks=[pytest.mark.npm, pytest.mark.debian])],
    indirect=True,
)
def test_while_others_write_a_list_has_all_that_was_there_when_it_was_asked_for(
    processes: list[Process],
) -> None:
    token = _tokens(processes[0].warehouse, ProjectName("one"))[2]
    crowd = Crowd(token)
    with ThreadPoolExecutor(8) as threads:
        writing = [
            threads.submit(crowd.write, process, random.Random(14).sample(NAMES[number::4], 40))  # noqa: S311
            for number, process in enumerate(processes * 2)
        ]
        reading = [threads.submit(crowd.read, process, writing) for process in processes * 2]
    assert [each.result() for each in writing] == [None] * 4
    assert min(each.result() for each in reading) > 10
    for process in processes:
        identity = process.warehouse.tokens.identify(token)
        assert set(process.names(token)) == crowd.made - crowd.gone | {"one"}
        for offer, compressed in FORMS:
            page = process.page(token, offer, compressed=compressed)
            assert page == process.anew(identity, offer, compressed=compressed)
