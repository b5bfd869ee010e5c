"""The list of projects after changes: made in parts, and the same as if it were made at once."""

import gzip
import json
import random
import zlib
from collections.abc import Callable

import pytest

from warehouse14.bootstrap import assemble
from warehouse14.domain.model import Action, Project, Role
from warehouse14.domain.names import AccountName, ProjectName, account_principal
from warehouse14.domain.services.working import entry
from warehouse14.domain.warehouse import Warehouse
from warehouse14.web import make_app
from web.asking import HTML, JSON, MEMORY, WHEN, Answer, Index

#: Enough for several parts of 500 in the middle.
MANY = 4000
NAMES = [ProjectName(f"p{number:05}") for number in range(MANY)]
#: Those that begin a part.
FIRSTS = [name for name in NAMES if zlib.crc32(name.encode()) % 500 == 0]
FORMS = [(accept, encoding) for accept in (JSON, HTML, "text/html") for encoding in ("identity", "gzip")]
BOB = account_principal(AccountName("bob"))


@pytest.fixture
def full(index: Index) -> Index:
    """An index with many projects, all granted to bob."""
    index.token("ada"), index.token("bob")
    operator = index.warehouse.operator()
    for name in NAMES:
        with index.warehouse.units.write() as unit:
            unit.projects.create(Project(name, name, False, WHEN, "ada", grants={BOB: Role.MEMBER}))
            unit.journal.append(entry(Action.PROJECT_CREATE, operator, index.clock, project=name))
    return index


def another(index: Index) -> Index:
    """Another process over the same stores, which has no page yet."""
    known = index.warehouse
    warehouse = Warehouse(known.units, known.store, known.policy, now=index.clock)
    return Index(warehouse, make_app(warehouse, assemble(MEMORY, {}).site), index.clock, index._tokens)


def lists(index: Index) -> list[Answer]:
    """What bob gets, in every form."""
    return [
        index.get("/simple/", "bob", accept=accept, Accept_Encoding=encoding) for accept, encoding in FORMS
    ]


def names(answer: Answer) -> list[str]:
    return [project["name"] for project in json.loads(answer.body)["projects"]]


def _create(index: Index, name: str) -> None:
    index.warehouse.projects.create(index.warehouse.operator(), name, admin="bob")


def _delete(index: Index, name: str) -> None:
    index.warehouse.projects.delete(index.warehouse.operator(), name)


def _revoke(index: Index, name: str) -> None:
    index.warehouse.projects.revoke(index.warehouse.operator(), name, "account:bob")


def _grant(index: Index, name: str) -> None:
    index.warehouse.projects.grant(index.warehouse.operator(), name, "account:bob", Role.MEMBER)


def _revoke_and_grant(index: Index, name: str) -> None:
    _revoke(index, name)
    _grant(index, name)


def _publish(index: Index, name: str) -> None:
    index.wheel(name)


CHANGES: dict[str, tuple[Callable[[Index, str], None], list[str]]] = {
    "a project before all others": (_create, ["a"]),
    "a project after all others": (_create, ["z"]),
    "one in the middle": (_create, [f"{NAMES[1500]}-x"]),
    "a new one that begins a part": (
        _create,
        [next(name for name in (f"p01000-{n}" for n in range(9999)) if zlib.crc32(name.encode()) % 500 == 0)],
    ),
    "the first of all is deleted": (_delete, [NAMES[0]]),
    "the last of all is deleted": (_delete, [NAMES[-1]]),
    "one that begins a part is deleted": (_delete, [FIRSTS[1]]),
    "one that begins a part is taken away": (_revoke, [FIRSTS[-1]]),
    "one is taken away and given back": (
        lambda index, name: (_revoke(index, name), _grant(index, name)),
        [NAMES[99]],
    ),
    "a file is published": (_publish, [NAMES[2222]]),
    "two parts that follow each other": (_publish, [FIRSTS[0], FIRSTS[1]]),
    "two far from each other": (_publish, [NAMES[3], NAMES[-3]]),
    "a whole part is deleted": (_delete, NAMES[NAMES.index(FIRSTS[0]) : NAMES.index(FIRSTS[1])]),
    "more than half of the parts": (_publish, FIRSTS),
}


def test_the_names_of_these_tests_make_several_parts() -> None:
    assert 5 <= len(FIRSTS) <= 12
    assert FIRSTS[0] != NAMES[0]


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_every_list_is_what_a_new_process_sends(full: Index, change: str) -> None:
    """A089: the same bytes, and the same ETag."""
    lists(full)
    do, those = CHANGES[change]
    for name in those:
        do(full, name)
    for known, fresh in zip(lists(full), lists(another(full)), strict=True):
        assert known.whole == fresh.whole


def test_after_many_changes_a_list_has_what_its_reader_may_see(full: Index) -> None:
    chosen = random.Random(14)  # noqa: S311
    there = set(NAMES)
    for turn in range(30):
        for _ in range(chosen.choice([1, 1, 2, 7])):
            name = chosen.choice([chosen.choice(sorted(there)), chosen.choice(FIRSTS)])
            if name in there:
                _revoke(full, name)
                there.remove(name)
            else:
                _grant(full, name)
                there.add(name)
        _create(full, f"new-{turn}")
        there.add(ProjectName(f"new-{turn}"))
        plain = full.get("/simple/", "bob", accept=JSON, Accept_Encoding="identity")
        packed = full.get("/simple/", "bob", accept=JSON, Accept_Encoding="gzip")
        assert names(plain) == sorted(there)
        assert gzip.decompress(packed.body) == plain.body


def test_only_the_parts_that_changed_are_read_again(full: Index) -> None:
    bob = full.warehouse.tokens.identify(full.token("bob"), origin="192.0.2.7", agent="pip")
    index = full.warehouse.index
    index.cache.follow()
    _, serial = index.project_list(bob)
    firsts = [NAMES[0], *FIRSTS]
    _publish(full, NAMES[-1])
    _publish(full, FIRSTS[1])
    index.cache.follow()
    changed, now = index.changed_parts(bob, firsts, serial) or ([], 0)
    assert [parts.numbers for parts in changed] == [range(1, 3), range(len(firsts) - 1, len(firsts))]
    assert [project.name for project in changed[0].projects] == NAMES[
        NAMES.index(FIRSTS[0]) : NAMES.index(FIRSTS[2])
    ]
    assert index.changed_parts(bob, firsts, now) == ([], now)
    for name in FIRSTS:
        _publish(full, name)
    assert index.changed_parts(bob, firsts, now) is None


def test_a_list_that_has_not_changed_is_kept_whatever_else_happens(full: Index) -> None:
    before = lists(full)
    misses = full.warehouse.index.cache.misses
    full.account("carol")
    assert [answer.whole for answer in lists(full)] == [answer.whole for answer in before]
    assert full.warehouse.index.cache.misses <= misses + 1
