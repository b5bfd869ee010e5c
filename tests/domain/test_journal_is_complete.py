"""Every use case that changes something writes one entry, and every other one writes none.

The tables are written by hand: a use case that stands in neither fails.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from domain.conftest import Clock
from support.parts import parts_of
from warehouse14.domain import access
from warehouse14.domain.access import Identity, Permission, TokenLimits, account_identity, operator
from warehouse14.domain.arrivals import Arrival, Ending
from warehouse14.domain.errors import Misconfigured, SignInFailed, WarehouseError
from warehouse14.domain.model import Action, Change, Reach, Role, Scope
from warehouse14.domain.names import AccountName, FileName, GroupName, ProviderName
from warehouse14.domain.services.arrivals import From
from warehouse14.domain.services.direct import DirectUpload
from warehouse14.domain.services.gate import Accepted
from warehouse14.domain.services.sessions import SignedIn
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.services.uploads import Published
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import build_wheel
from warehouse14.testing.samples import ADA, BOB, DEMO, ISSUER

ORIGIN = "192.0.2.9"
RIGHT = "correct horse"
CORP = From(ProviderName("corp"), "Corp", ORIGIN)
FIRST, YANKED, NEXT = (build_wheel("demo", version) for version in ("1.0", "2.0", "3.0"))
NEXT_FORM, NEXT_SHA256 = form_of(NEXT.filename), hashlib.sha256(NEXT.content).hexdigest()


def arrival(subject: str, **parts: Any) -> Arrival:
    given = {"name": None, "email": None, "groups": frozenset[str](), "refusal": None, "sid": subject}
    return Arrival(issuer=ISSUER, subject=subject, id_token="e30", **{**given, **parts})


def ending(jti: str, subject: str = "248") -> Ending:
    return Ending(ISSUER, subject, None, jti, Clock().now)


@dataclass
class World:
    """A site on which everything can happen that the table says."""

    warehouse: Warehouse
    token: str
    token_text: str
    here: SignedIn
    there: SignedIn
    elsewhere: SignedIn

    @property
    def owner(self) -> AccountName:
        """Whose the token and the sessions are."""
        return self.here.account.name

    def who(self, name: str, *, by_token: bool = False) -> Identity:
        return account_identity(
            AccountName(name),
            administrator=name == "root",
            token=TokenLimits(self.token, frozenset({Scope.UPLOAD}), Reach()) if by_token else None,
            session=None if by_token else self._session(name).session.id,
            origin=ORIGIN,
        )

    def _session(self, name: str) -> SignedIn:
        """Return the session of the owner, or one that does not end with those."""
        return self.here if name == self.owner else self.elsewhere


Call = Callable[[World, Identity], object]


@dataclass(frozen=True)
class Does:
    """A use case that changes something: how it is called, and what its entry says.

    Attributes:
        again: what the same call once more does: ``nothing``, is ``refused``, or the same ``anew``.
        by_token: whether somebody can do it with a token, if its scope lets it through.
    """

    call: Call
    action: Action
    again: str
    actor: str = "ada"
    project: str | None = None
    account: str | None = None
    group: str | None = None
    has_token: bool = False
    by_token: bool = False


def _receive(world: World, me: Identity) -> Published:
    with world.warehouse.uploads.receive(me, form_of(NEXT.filename)) as upload:
        upload.write(NEXT.content)
        return upload.finish({})


def _begin(world: World, me: Identity) -> DirectUpload | Accepted:
    return world.warehouse.direct.begin(me, NEXT_FORM, size=len(NEXT.content), sha256=NEXT_SHA256)


def _with_upload(world: World, me: Identity) -> str:
    """Return the id of an upload past this program, all of which has come."""
    begun = _begin(world, me)
    assert isinstance(begun, DirectUpload)
    parts_of(world.warehouse.store, begun.id).send(1, NEXT.content)
    return begun.id


def _finish(world: World, me: Identity) -> object:
    if isinstance(_begin(world, me), Accepted):
        return None
    return world.warehouse.direct.finish(me, _with_upload(world, me))


def _closed(call: Callable[[], object]) -> None:
    """Have a site refuse what its settings do not open."""
    with pytest.raises(Misconfigured):
        call()


def _publish_waiting(world: World, me: Identity) -> Published:
    with world.warehouse.store.stage() as staged:
        staged.write(NEXT.content)
        return world.warehouse.uploads.publish_waiting(me, NEXT_FORM, staged, {"sha256": NEXT_SHA256})


#: What somebody does on a project of theirs, also with a token; and what an administrator does to Ada.
_on_demo = partial(Does, project=DEMO, by_token=True)
_to_ada = partial(Does, actor="root", account=ADA, by_token=True)

CHANGES: dict[str, Does] = {
    "projects.create": Does(
        lambda at, me: at.warehouse.projects.create(me, "new"),
        Action.PROJECT_CREATE,
        "refused",
        project="new",
        account=ADA,
        by_token=True,
    ),
    "projects.grant": _on_demo(
        lambda at, me: at.warehouse.projects.grant(me, DEMO, "account:bob", Role.ADMIN),
        Action.PROJECT_GRANT,
        "nothing",
        account=BOB,
    ),
    "projects.revoke": _on_demo(
        lambda at, me: at.warehouse.projects.revoke(me, DEMO, "account:bob"),
        Action.PROJECT_REVOKE,
        "refused",
        account=BOB,
    ),
    "projects.set_public": _on_demo(
        lambda at, me: at.warehouse.projects.set_public(me, DEMO, public=True),
        Action.PROJECT_PUBLIC,
        "nothing",
    ),
    "projects.delete": _on_demo(
        lambda at, me: at.warehouse.projects.delete(me, DEMO), Action.PROJECT_DELETE, "refused"
    ),
    "files.yank": _on_demo(
        lambda at, me: at.warehouse.files.yank(me, DEMO, FIRST.filename, reason="x"),
        Action.FILE_YANK,
        "nothing",
    ),
    "files.yank_release": _on_demo(
        lambda at, me: at.warehouse.files.yank_release(me, DEMO, "1.0"), Action.FILE_YANK, "nothing"
    ),
    "files.unyank": _on_demo(
        lambda at, me: at.warehouse.files.unyank(me, DEMO, YANKED.filename), Action.FILE_UNYANK, "nothing"
    ),
    "files.unyank_release": _on_demo(
        lambda at, me: at.warehouse.files.unyank_release(me, DEMO, "2.0"), Action.FILE_UNYANK, "nothing"
    ),
    "files.delete": _on_demo(
        lambda at, me: at.warehouse.files.delete(me, DEMO, FIRST.filename), Action.FILE_DELETE, "refused"
    ),
    "files.delete_release": _on_demo(
        lambda at, me: at.warehouse.files.delete_release(me, DEMO, "1.0"), Action.FILE_DELETE, "refused"
    ),
    "uploads.publish": _on_demo(
        lambda at, me: at.warehouse.uploads.publish(me, form_of(NEXT.filename), [NEXT.content]),
        Action.FILE_UPLOAD,
        "nothing",
    ),
    "uploads.receive": _on_demo(_receive, Action.FILE_UPLOAD, "nothing"),
    "uploads.publish_waiting": _on_demo(_publish_waiting, Action.FILE_UPLOAD, "nothing"),
    "direct.finish": _on_demo(_finish, Action.FILE_UPLOAD, "nothing"),
    "accounts.add": Does(
        lambda at, me: at.warehouse.accounts.add(me, "new"),
        Action.ACCOUNT_ADD,
        "refused",
        actor="root",
        account="new",
        by_token=True,
    ),
    "accounts.set_password": _to_ada(
        lambda at, me: at.warehouse.accounts.set_password(me, ADA, "another one"),
        Action.ACCOUNT_PASSWORD,
        "anew",
    ),
    "accounts.reset_password": _to_ada(
        lambda at, me: at.warehouse.accounts.reset_password(me, ADA), Action.ACCOUNT_PASSWORD, "anew"
    ),
    "accounts.set_disabled": _to_ada(
        lambda at, me: at.warehouse.accounts.set_disabled(me, ADA, disabled=True),
        Action.ACCOUNT_DISABLE,
        "nothing",
    ),
    "accounts.set_administrator": _to_ada(
        lambda at, me: at.warehouse.accounts.set_administrator(me, ADA, administrator=True),
        Action.ACCOUNT_PROMOTE,
        "nothing",
    ),
    "sessions.sign_in": Does(
        lambda at, me: at.warehouse.sessions.sign_in(ADA, RIGHT, origin=ORIGIN),
        Action.SESSION_START,
        "anew",
        account=ADA,
    ),
    "sessions.change_password": Does(
        lambda at, me: at.warehouse.sessions.change_password(me, RIGHT, "another one"),
        Action.ACCOUNT_PASSWORD,
        "refused",
        account=ADA,
    ),
    "sessions.end": Does(
        lambda at, me: at.warehouse.sessions.end(me, at.there.session.id),
        Action.SESSION_END,
        "refused",
        account=ADA,
    ),
    "sessions.end_others": Does(
        lambda at, me: at.warehouse.sessions.end_others(me), Action.SESSION_END, "nothing", account=ADA
    ),
    "sessions.end_all": _to_ada(
        lambda at, me: at.warehouse.sessions.end_all(me, ADA), Action.SESSION_END, "nothing"
    ),
    "groups.create": Does(
        lambda at, me: at.warehouse.groups.create(me, "crew"),
        Action.GROUP_CREATE,
        "refused",
        account=ADA,
        group="crew",
    ),
    "groups.add": Does(
        lambda at, me: at.warehouse.groups.add(me, "team", "root"),
        Action.GROUP_ADD,
        "nothing",
        account="root",
        group="team",
    ),
    "groups.remove": Does(
        lambda at, me: at.warehouse.groups.remove(me, "team", "bob"),
        Action.GROUP_REMOVE,
        "refused",
        account=BOB,
        group="team",
    ),
    "groups.delete": Does(
        lambda at, me: at.warehouse.groups.delete(me, "team"), Action.GROUP_DELETE, "refused", group="team"
    ),
    "looking.look": Does(
        lambda at, me: at.warehouse.looking.look(me, DEMO, reason="x"),
        Action.PROJECT_LOOK,
        "anew",
        actor="root",
        project=DEMO,
    ),
    "looking.look_at_group": Does(
        lambda at, me: at.warehouse.looking.look_at_group(me, "team", reason="x"),
        Action.GROUP_LOOK,
        "anew",
        actor="root",
        group="team",
    ),
    "arrivals.sign_in": Does(
        lambda at, me: at.warehouse.arrivals.sign_in(CORP, arrival("248")),
        Action.SESSION_START,
        "anew",
        account=ADA,
    ),
    "arrivals.join": Does(
        lambda at, me: at.warehouse.arrivals.join(me, CORP, arrival("249")),
        Action.ACCOUNT_JOIN,
        "nothing",
        account=ADA,
    ),
    "arrivals.join_known": _to_ada(
        lambda at, me: at.warehouse.arrivals.join_known(
            me, ADA, provider=CORP.provider, issuer=ISSUER, subject="250"
        ),
        Action.ACCOUNT_JOIN,
        "nothing",
    ),
    "arrivals.part": Does(
        lambda at, me: at.warehouse.arrivals.part(me, ISSUER, "248"),
        Action.ACCOUNT_PART,
        "refused",
        account=ADA,
    ),
    "arrivals.end": Does(
        lambda at, me: at.warehouse.arrivals.end(CORP, ending("x")),
        Action.SESSION_END,
        "refused",
        actor="provider corp",
        account=ADA,
    ),
    "tokens.mint": Does(
        lambda at, me: at.warehouse.tokens.mint(me, name="x"),
        Action.TOKEN_MINT,
        "anew",
        account=ADA,
        has_token=True,
    ),
    "tokens.rotate": Does(
        lambda at, me: at.warehouse.tokens.rotate(me, at.token),
        Action.TOKEN_ROTATE,
        "anew",
        account=ADA,
        has_token=True,
    ),
    "tokens.revoke": Does(
        lambda at, me: at.warehouse.tokens.revoke(me, at.token),
        Action.TOKEN_REVOKE,
        "nothing",
        account=ADA,
        has_token=True,
    ),
}

#: What changes an empty site alone, and has a test of its own.
ON_AN_EMPTY_SITE = {"accounts.add_first_administrator"}

READS: dict[str, Call] = {
    "projects.get": lambda at, me: at.warehouse.projects.get(me, DEMO),
    "projects.listed": lambda at, me: at.warehouse.projects.listed(me),
    "projects.files": lambda at, me: at.warehouse.projects.files(me, DEMO),
    "projects.releases": lambda at, me: at.warehouse.projects.releases(me, DEMO),
    "uploads.judge": lambda at, me: at.warehouse.uploads.judge(me, form_of(NEXT.filename), [NEXT.content]),
    "files.get": lambda at, me: at.warehouse.files.get(me, DEMO, FIRST.filename),
    "files.open": lambda at, me: at.warehouse.files.open(me, DEMO, FIRST.filename).close(),
    "accounts.get": lambda at, me: at.warehouse.accounts.get(me, ADA),
    "accounts.listed": lambda at, me: at.warehouse.accounts.listed(me),
    "accounts.known": lambda at, me: at.warehouse.accounts.known([ADA, BOB]),
    "accounts.check_password": lambda at, me: at.warehouse.accounts.check_password(ADA, RIGHT),
    "sessions.identify": lambda at, me: at.warehouse.sessions.identify(at.here.secret),
    "sessions.listed": lambda at, me: at.warehouse.sessions.listed(me),
    "sessions.tidy": lambda at, me: at.warehouse.sessions.tidy(),
    "readiness.answers": lambda at, me: at.warehouse.readiness.answers(),
    "readiness.close": lambda at, me: at.warehouse.readiness.close(),
    "arrivals.joined": lambda at, me: at.warehouse.arrivals.joined(me),
    "groups.get": lambda at, me: at.warehouse.groups.get(me, "team"),
    "groups.listed": lambda at, me: at.warehouse.groups.listed(me),
    "groups.known": lambda at, me: at.warehouse.groups.known([GroupName("team")]),
    "projects.abandoned": lambda at, me: at.warehouse.projects.abandoned(me, [DEMO]),
    "catalogue.search_all": lambda at, me: at.warehouse.catalogue.search_all(me, "demo"),
    "tokens.listed": lambda at, me: at.warehouse.tokens.listed(me),
    "tokens.ending": lambda at, me: at.warehouse.tokens.ending(me),
    "tokens.identify": lambda at, me: at.warehouse.tokens.identify(at.token_text),
    "tokens.identify_again": lambda at, me: at.warehouse.tokens.identify_again(at.token),
    "uploads.permit": lambda at, me: at.warehouse.uploads.permit(me, NEXT_FORM),
    "uploads.expect": lambda at, me: at.warehouse.uploads.expect(me, NEXT_FORM, size=1, sha256=NEXT_SHA256),
    "direct.begin": _begin,
    "direct.request": lambda at, me: at.warehouse.direct.request(
        me, _with_upload(at, me), number=1, sha256=NEXT_SHA256
    ),
    "direct.status": lambda at, me: at.warehouse.direct.status(me, _with_upload(at, me)),
    "direct.run": lambda at, me: at.warehouse.direct.run("0" * 64),
    # Whose files these are is a setting; tests/domain/test_incoming.py has the entries.
    "incoming.key": lambda at, me: _closed(lambda: at.warehouse.incoming.key("bucket", "x")),
    "incoming.take": lambda at, me: _closed(lambda: at.warehouse.incoming.take("x")),
    "incoming.take_all": lambda at, me: _closed(lambda: list(at.warehouse.incoming.take_all())),
    "incoming.take_all_in_steps": lambda at, me: _closed(
        lambda: list(at.warehouse.incoming.take_all_in_steps())
    ),
    "incoming.cancel": lambda at, me: _closed(lambda: at.warehouse.incoming.cancel("x")),
    "uploads.warnings": lambda at, me: at.warehouse.uploads.warnings(me),
    "upkeep.check": lambda at, me: list(at.warehouse.upkeep.check(digests=True)),
    "upkeep.check_in_steps": lambda at, me: list(at.warehouse.upkeep.check_in_steps(digests=True)),
    "upkeep.count": lambda at, me: at.warehouse.upkeep.count(),
    "upkeep.is_lost": lambda at, me: at.warehouse.upkeep.is_lost(),
    "upkeep.sizes": lambda at, me: at.warehouse.upkeep.sizes(),
    # What it deletes belongs to nobody.
    "upkeep.collect": lambda at, me: list(at.warehouse.upkeep.collect(older_than=timedelta(0))),
    "upkeep.collect_in_steps": lambda at, me: list(
        at.warehouse.upkeep.collect_in_steps(older_than=timedelta(0))
    ),
    "journal.of_project": lambda at, me: list(at.warehouse.journal.of_project(me, DEMO).all()),
    "journal.of_group": lambda at, me: list(at.warehouse.journal.of_group(me, "team").all()),
    "journal.of_site": lambda at, me: list(at.warehouse.journal.of_site(me).all()),
    "journal.of_account": lambda at, me: list(at.warehouse.journal.of_account(me).all()),
    "catalogue.search": lambda at, me: at.warehouse.catalogue.search(me, "demo"),
    "catalogue.releases": lambda at, me: at.warehouse.catalogue.releases(_demo(at)),
    "catalogue.latest": lambda at, me: at.warehouse.catalogue.latest(_demo(at)),
    "catalogue.details": lambda at, me: at.warehouse.catalogue.details(
        at.warehouse.files.get(me, DEMO, FIRST.filename)
    ),
    "catalogue.readable": lambda at, me: at.warehouse.catalogue.readable(me, [DEMO]),
    "index.project": lambda at, me: at.warehouse.index.project(DEMO),
    "index.file": lambda at, me: at.warehouse.index.file(DEMO, FileName(FIRST.filename)),
    "index.project_page": lambda at, me: at.warehouse.index.project_page(_demo(at)),
    "index.project_list": lambda at, me: at.warehouse.index.project_list(me),
    "index.changed_parts": lambda at, me: at.warehouse.index.changed_parts(me, [DEMO], 0),
}

#: Those that administrators alone read.
OF_THE_SITE = {"accounts.listed", "catalogue.search_all", "journal.of_site", "projects.abandoned"}


def _demo(world: World) -> Any:
    return world.warehouse.projects.get(operator(), DEMO)


@pytest.fixture(autouse=True)
def quick_and_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work of a password check is no subject here, nor is what a token may do."""
    monkeypatch.setattr("warehouse14.domain.credentials._SCRYPT_N", 2)
    monkeypatch.setitem(access.SCOPES, Scope.UPLOAD, frozenset(Permission))  # type: ignore[misc]


@pytest.fixture
def world(warehouse: Warehouse) -> World:
    return peopled(warehouse)


def peopled(warehouse: Warehouse, owner: str = ADA) -> World:
    """Fill an empty site. The tokens, logins and sessions that the calls are about are the owner's."""
    me = operator()
    warehouse.accounts.add(me, "root", password=RIGHT, administrator=True)
    for name in (ADA, BOB, "eve"):
        warehouse.accounts.add(me, name, password=RIGHT)
    warehouse.projects.create(me, DEMO, admin=ADA)
    warehouse.projects.grant(me, DEMO, "account:bob", Role.MEMBER)
    for built in (FIRST, YANKED):
        warehouse.uploads.publish(me, form_of(built.filename), [built.content])
    warehouse.files.yank(me, DEMO, YANKED.filename)
    made = warehouse.tokens.mint(me, name="laptop", account=owner, scopes=[Scope.UPLOAD])
    warehouse.arrivals.join_known(me, owner, provider=CORP.provider, issuer=ISSUER, subject="248")
    warehouse.groups.create(me, "team", admin=ADA)
    warehouse.groups.add(me, "team", "bob")
    here = warehouse.sessions.sign_in(owner, RIGHT, origin=ORIGIN)
    there = warehouse.arrivals.sign_in(CORP, arrival("248"))
    elsewhere = warehouse.sessions.sign_in("eve" if owner == "root" else "root", RIGHT, origin=ORIGIN)
    return World(warehouse, made.id, made.text, here, there, elsewhere)


def entries(warehouse: Warehouse, after: int = 0) -> list[Change]:
    with warehouse.units.read() as unit:
        return list(unit.journal.since(after, 1_000))


def use_cases(warehouse: Warehouse) -> set[str]:
    """Return every public method of the warehouse's own parts."""
    return {
        f"{name}.{method}"
        for name, part in vars(warehouse).items()
        if not name.startswith("_") and type(part).__module__.startswith("warehouse14.domain.")
        for method in dir(type(part))
        if not method.startswith("_") and callable(getattr(type(part), method))
    }


def test_every_use_case_changes_something_or_reads(warehouse: Warehouse) -> None:
    assert use_cases(warehouse) == CHANGES.keys() | READS.keys() | ON_AN_EMPTY_SITE
    assert not CHANGES.keys() & READS.keys()


@pytest.mark.parametrize(
    ("name", "by_token"),
    [(name, by_token) for name, does in CHANGES.items() for by_token in {False, does.by_token}],
)
def test_what_changes_something_writes_one_entry_and_what_is_so_already_none(
    world: World, clock: Clock, name: str, by_token: bool
) -> None:
    does = CHANGES[name]
    clock.pass_by(timedelta(minutes=1))
    before = len(entries(world.warehouse))
    actor = does.actor if does.actor in {"ada", "root"} else "ada"
    me = world.who(actor, by_token=by_token)

    does.call(world, me)
    (change,) = entries(world.warehouse, before)
    assert (change.action, change.actor, change.origin) == (does.action, does.actor, ORIGIN)
    assert change.at == clock.now
    assert (change.project, change.account, change.group) == (does.project, does.account, does.group)
    assert bool(change.token) == does.has_token
    assert change.by_token == (world.token if by_token else None)

    if does.again == "refused":
        with pytest.raises(WarehouseError):
            does.call(world, me)
    else:
        does.call(world, me)
    assert len(entries(world.warehouse, before)) == (2 if does.again == "anew" else 1)


@pytest.mark.parametrize("name", READS)
def test_what_reads_writes_no_entry(world: World, name: str) -> None:
    before = entries(world.warehouse)
    READS[name](world, world.who("root" if name in OF_THE_SITE else "ada"))
    assert entries(world.warehouse) == before


def test_the_first_administrator_is_an_entry_of_the_operators(warehouse: Warehouse, clock: Clock) -> None:
    assert warehouse.accounts.add_first_administrator() is not None
    assert warehouse.accounts.add_first_administrator() is None
    (change,) = entries(warehouse)
    assert (change.action, change.actor, change.account) == (Action.ACCOUNT_ADD, "operator", "admin")
    assert (change.origin, change.at) == ("command line", clock.now)


def test_somebody_new_from_a_provider_is_two_changes(world: World) -> None:
    before = len(entries(world.warehouse))
    world.warehouse.arrivals.sign_in(CORP, arrival("300", name="noor"))
    found = entries(world.warehouse, before)
    assert [(each.action, each.actor, each.account, each.origin) for each in found] == [
        (Action.ACCOUNT_ADD, "noor", "noor", ORIGIN),
        (Action.SESSION_START, "noor", "noor", ORIGIN),
    ]


def test_whom_the_rules_keep_out_is_kept_out_once(world: World) -> None:
    before = len(entries(world.warehouse))
    for _ in range(2):
        with pytest.raises(SignInFailed):
            world.warehouse.arrivals.sign_in(CORP, arrival("248", refusal="Not in the group."))
    (change,) = entries(world.warehouse, before)
    assert (change.action, change.actor, change.account) == (Action.ACCOUNT_KEEP_OUT, "ada", "ada")


def test_a_provider_that_ends_what_is_not_there_changes_nothing(world: World) -> None:
    before = entries(world.warehouse)
    assert world.warehouse.arrivals.end(CORP, ending("y", subject="301")) == 0
    assert entries(world.warehouse) == before


def test_the_other_half_of_a_switch_is_an_entry_too(world: World) -> None:
    before = len(entries(world.warehouse))
    warehouse, ada, root = world.warehouse, world.who("ada"), world.who("root")
    for _ in range(2):
        warehouse.projects.set_public(ada, DEMO, public=True)
    for _ in range(2):
        warehouse.projects.set_public(ada, DEMO, public=False)
    for disabled in (True, True, False, False):
        warehouse.accounts.set_disabled(root, "bob", disabled=disabled)
    for administrator in (True, True, False, False):
        warehouse.accounts.set_administrator(root, "bob", administrator=administrator)
    assert [each.action for each in entries(warehouse, before)] == [
        Action.PROJECT_PUBLIC,
        Action.PROJECT_PRIVATE,
        Action.ACCOUNT_DISABLE,
        Action.ACCOUNT_ENABLE,
        Action.ACCOUNT_PROMOTE,
        Action.ACCOUNT_DEMOTE,
    ]
