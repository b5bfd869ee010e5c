"""Taking over a site of another program: projects, roles and files, once and again."""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import BinaryIO

import pytest

from warehouse14.domain.access import Identity
from warehouse14.domain.model import Action, Role
from warehouse14.domain.moving.outcomes import FileTaken, Noted, Outcome, ProjectTaken, RoleTaken, Wishes
from warehouse14.domain.ports import OldContents, OldFile, OldProject, Untaken
from warehouse14.domain.services.takeover import Takeover
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

BEGIN = datetime(2021, 7, 8, tzinfo=UTC)


@dataclass
class InMemory:
    """An old site: projects with roles, and files; ``opened`` is what was read of them, and ``meanwhile`` is
    done when one is."""

    name: str = "warehouse14 table bucket"
    projects: list[OldProject] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    listed: list[OldFile] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def project(self, name: str, *, public: bool = False, **roles: str) -> None:
        found = {who.replace("_at_", "@").replace("_", "."): Role(role) for who, role in roles.items()}
        self.projects.append(OldProject(name, public, found))

    def add(self, built: BuiltFile, project: str | None = None, digest: str | None = None) -> None:
        where = f"{project or 'files'}/{len(self.files)}/{built.filename}"
        self.files[where] = built.content
        at = BEGIN + timedelta(days=len(self.files))
        digest = digest or (sha256(built.content).hexdigest() if project else None)
        self.listed.append(OldFile(where, built.filename, len(built.content), at, "e", project, digest))

    def contents(self) -> OldContents:
        return OldContents(self.projects, self.listed, (), ())

    def open(self, file: OldFile) -> BinaryIO:
        self.opened.append(file.filename)
        if self.meanwhile is not None:
            self.meanwhile()
        return io.BytesIO(self.files[file.where])


Take = Callable[..., Sequence[Outcome]]


@pytest.fixture
def old() -> InMemory:
    return InMemory()


@pytest.fixture
def take(warehouse: Warehouse, ada: Identity, old: InMemory) -> Take:
    """Takes it over; returns what came of it."""

    def run(**wishes: bool) -> Sequence[Outcome]:
        takeover = Takeover(warehouse, old, Wishes(ada, **wishes))
        outcomes = [outcome for some in takeover.projects(old.projects) for outcome in some]
        return [*outcomes, *takeover.files(old.listed)]

    return run


def grants(warehouse: Warehouse, project: str) -> Mapping[str, str]:
    return dict(warehouse.projects.get(warehouse.operator(), project).grants)


def kinds(outcomes: Sequence[Outcome]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def test_people_with_accounts_get_their_roles_and_addresses_are_invited(
    warehouse: Warehouse, person: Callable[[str], Identity], old: InMemory, take: Take
) -> None:
    person("bob")
    person("cleo@example.org")
    old.project("De.mo", bob="admin", cleo_at_example_org="member", Dan_at_example_org="admin")
    old.add(build_wheel("De.mo", "1.0"), "De.mo")
    outcomes = take()
    assert [outcome for outcome in outcomes if isinstance(outcome, Untaken | Noted)] == []
    assert outcomes[0] == ProjectTaken("de-mo", "bob")
    project = warehouse.projects.get(warehouse.operator(), "de-mo")
    assert (project.display_name, project.public) == ("De.mo", False)
    assert project.grants == {
        "account:bob": Role.ADMIN,
        "account:cleo@example.org": Role.MEMBER,
        "invitation:dan@example.org": Role.ADMIN,
    }


def test_a_project_whose_admins_are_not_here_yet_belongs_to_the_account_that_was_named(
    warehouse: Warehouse, old: InMemory, take: Take
) -> None:
    old.project("demo", dan_at_example_org="admin")
    outcomes = take()
    assert grants(warehouse, "demo") == {"account:ada": "admin", "invitation:dan@example.org": "admin"}
    (note,) = (outcome for outcome in outcomes if isinstance(outcome, Noted))
    assert "demo belongs to ada" in note.sentence


def test_a_member_to_whom_a_project_falls_is_noted(warehouse: Warehouse, old: InMemory, take: Take) -> None:
    old.project("demo", ada="member", dan_at_example_org="admin")
    assert [outcome.sentence for outcome in take() if isinstance(outcome, Noted)] == [
        "demo belongs to ada: nobody who administered it has an account here."
    ]
    assert grants(warehouse, "demo") == {"account:ada": "admin", "invitation:dan@example.org": "admin"}


def test_who_has_no_account_and_no_address_is_named_and_comes_with_a_later_run(
    warehouse: Warehouse, person: Callable[[str], Identity], old: InMemory, take: Take
) -> None:
    old.project("demo", bob="admin", eve="member")
    refused = [outcome for outcome in take() if isinstance(outcome, Untaken)]
    assert [outcome.where for outcome in refused] == ["demo: admin bob", "demo: member eve"]
    assert "no account bob" in refused[0].reason
    person("bob")
    take(add_accounts=True)
    assert grants(warehouse, "demo") == {
        "account:ada": "admin",
        "account:bob": "admin",
        "account:eve": "member",
    }
    assert warehouse.accounts.get(warehouse.operator(), "eve").password_hash is None


@pytest.mark.parametrize(("upper", "lower"), [("member", "admin"), ("admin", "member")])
def test_two_spellings_of_one_person_with_other_roles_are_a_member_and_named(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take, upper: str, lower: str
) -> None:
    old.project("demo", Bob=upper, bob=lower)
    (refused,) = (outcome for outcome in take() if isinstance(outcome, Untaken))
    assert (refused.where, "twice" in refused.reason) == (f"demo: {lower} bob", True)
    assert grants(warehouse, "demo") == {"account:ada": "admin", "account:bob": "member"}


def test_what_somebody_has_decided_here_stays(
    warehouse: Warehouse, person: Callable[[str], Identity], old: InMemory, take: Take
) -> None:
    for name in ("bob", "cleo", "dan"):
        person(name)
    old.project("demo", public=True, bob="admin", cleo="admin", dan="member", noor_at_example_org="member")
    take(public=True)
    boss = warehouse.operator()
    assert warehouse.projects.get(boss, "demo").public
    warehouse.projects.revoke(boss, "demo", "account:dan")
    warehouse.projects.revoke(boss, "demo", "account:bob")
    warehouse.projects.grant(boss, "demo", "account:cleo", Role.ADMIN)
    warehouse.projects.revoke(boss, "demo", "account:noor@example.org")
    warehouse.projects.set_public(boss, "demo", public=False)
    assert take(public=True) == []
    assert grants(warehouse, "demo") == {"account:cleo": "admin"}
    assert not warehouse.projects.get(boss, "demo").public


def test_a_project_is_opened_only_if_that_is_wished_for(
    warehouse: Warehouse, old: InMemory, take: Take
) -> None:
    old.project("demo", public=True)
    assert any("was public there" in outcome.sentence for outcome in take() if isinstance(outcome, Noted))
    assert not warehouse.projects.get(warehouse.operator(), "demo").public
    take(public=True)
    assert warehouse.projects.get(warehouse.operator(), "demo").public


def test_a_project_that_was_here_before_keeps_its_roles_and_takes_files_by_its_own_rights(
    warehouse: Warehouse, ada: Identity, bob: Identity, old: InMemory, take: Take
) -> None:
    warehouse.projects.create(ada, "mine")
    warehouse.projects.create(bob, "his")
    for name in ("mine", "his"):
        old.project(name, public=True, eve="admin", dan_at_example_org="admin")
        old.add(build_wheel(name, "1.0"), name)
    outcomes = take(public=True, add_accounts=True)
    assert kinds(outcomes) == [Noted, Untaken, FileTaken, Untaken]
    assert grants(warehouse, "mine") == {"account:ada": "admin"}
    assert grants(warehouse, "his") == {"account:bob": "admin"}
    assert [file.filename for file in warehouse.projects.files(bob, "his")] == []


def test_a_project_that_somebody_makes_while_a_file_is_read_takes_it_by_its_own_rights_alone(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    old.add(build_wheel("demo", "1.0"))
    old.meanwhile = lambda: warehouse.projects.create(bob, "demo")
    reasons = [outcome.reason for outcome in take() if isinstance(outcome, Untaken)]
    old.meanwhile = None
    reasons += [outcome.reason for outcome in take() if isinstance(outcome, Untaken)]
    assert ["made here meanwhile" in reasons[0], "ada may not upload" in reasons[1]] == [True, True]
    assert not warehouse.projects.files(bob, "demo")
    assert not list(warehouse.store.keys())
    warehouse.projects.grant(bob, "demo", "account:ada", Role.ADMIN)
    assert take() == [FileTaken(old.listed[0].where, is_new=True)]


def test_nobody_makes_a_project_of_the_import_by_saying_where_they_come_from(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    warehouse.projects.create(replace(bob, origin=f"import from {old.name}"), "demo")
    old.add(build_wheel("demo", "1.0"))
    assert kinds(take()) == [Untaken]
    assert not warehouse.projects.files(bob, "demo")


def test_a_later_run_reads_only_what_is_new_also_in_projects_of_others(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    old.project("demo", bob="admin")
    old.add(build_wheel("demo", "1.0"), "demo")
    old.add(build_wheel("free", "1.0"))
    take()
    assert grants(warehouse, "demo") == {"account:bob": "admin"}
    old.opened.clear()
    newer = build_sdist("demo", "1.1")
    old.add(newer, "demo")
    assert [outcome.is_new for outcome in take() if isinstance(outcome, FileTaken)] == [False, False, True]
    assert old.opened == [newer.filename]


def test_an_object_that_was_replaced_there_is_read_again(old: InMemory, take: Take) -> None:
    first = build_wheel("free", "1.0")
    old.add(first)
    take()
    old.listed.clear()
    old.add(replace(first, content=bytes(len(first.content))))
    (refused,) = take()
    assert isinstance(refused, Untaken)
    assert "File already exists" in refused.reason


def test_bytes_that_were_lost_here_are_fetched_again(warehouse: Warehouse, old: InMemory, take: Take) -> None:
    old.add(build_wheel("free", "1.0"))
    take()
    (file,) = warehouse.projects.files(warehouse.operator(), "free")
    warehouse.store.delete(file.key)
    assert take() == [FileTaken(old.listed[0].where, is_new=False)]
    assert warehouse.store.stat(file.key) is not None


def test_a_file_that_is_not_what_the_table_says_is_refused(old: InMemory, take: Take) -> None:
    old.project("demo")
    old.add(build_wheel("demo", "1.0"), "demo", digest="0" * 64)
    old.add(build_wheel("demo", "2.0"), "demo", digest="no digest")
    old.add(build_wheel("other", "1.0"), "demo")
    reasons = [outcome.reason for outcome in take() if isinstance(outcome, Untaken)]
    assert ["not the digest" in reasons[0], "64 hexadecimal" in reasons[1]] == [True, True]
    assert "names the project 'other'" in reasons[2]


def test_a_trial_changes_nothing_and_foresees_what_a_run_does(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    old.project("demo", public=True, bob="admin", eve="member", dan_at_example_org="member")
    old.add(build_wheel("demo", "1.0"), "demo")
    old.add(build_wheel("free", "1.0"))
    old.add(build_wheel("free", "1.0"))
    old.add(build_wheel("free", "1.0", body=b"x = 1\n"))
    foreseen = take(is_trial=True, public=True, add_accounts=True)
    boss = warehouse.operator()
    assert warehouse.projects.listed(boss) == []
    assert [account.name for account in warehouse.accounts.listed(boss)] == ["ada", "bob"]
    assert list(warehouse.store.keys()) == []
    assert foreseen == take(public=True, add_accounts=True)
    assert RoleTaken("demo", "eve", Role.MEMBER) in foreseen


def test_the_journal_says_where_all_of_it_came_from(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    old.project("demo", bob="admin")
    old.add(build_wheel("demo", "1.0"), "demo")
    take()
    with warehouse.units.read() as unit:
        made, uploaded = [entry for entry in unit.journal.since(0, 100) if entry.project == "demo"]
    assert (made.action, uploaded.action) == (Action.PROJECT_CREATE, Action.FILE_UPLOAD)
    assert {made.origin, uploaded.origin} == {"import from warehouse14 table bucket"}
    assert (made.actor, uploaded.actor) == ("operator", "operator")


def test_a_reserved_name_and_its_files_are_refused_by_a_trial_and_by_a_run(
    warehouse: Warehouse, old: InMemory, take: Take
) -> None:
    old.project("namespaces")
    old.add(build_wheel("namespaces", "1.0"), "namespaces")
    foreseen = take(is_trial=True)
    assert kinds(foreseen) == [Untaken, Untaken]
    assert foreseen == take()
    assert warehouse.projects.listed(warehouse.operator()) == []


def test_an_admin_whose_account_is_disabled_keeps_the_role_and_owns_nothing(
    warehouse: Warehouse, bob: Identity, old: InMemory, take: Take
) -> None:
    warehouse.accounts.set_disabled(warehouse.operator(), "bob", disabled=True)
    old.project("demo", bob="admin")
    take()
    assert grants(warehouse, "demo") == {"account:ada": "admin", "account:bob": "admin"}


def test_the_newest_file_says_how_its_project_is_spelled(
    warehouse: Warehouse, old: InMemory, take: Take
) -> None:
    old.add(build_wheel("De.mo", "1.0"))
    old.add(build_wheel("de_mo", "2.0"))
    old.listed.reverse()
    take()
    assert warehouse.projects.get(warehouse.operator(), "de-mo").display_name == "de_mo"


def test_a_file_that_is_too_large_is_refused_without_being_read(old: InMemory, take: Take) -> None:
    old.add(build_wheel("free", "1.0", body=os.urandom(150_000)))
    (refused,) = take()
    assert isinstance(refused, Untaken)
    assert "larger than 100000 bytes" in refused.reason
    assert old.opened == []
