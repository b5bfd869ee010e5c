"""What each kind of people may do through the library: every use case is tried on fresh sites in memory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import pytest

from domain.conftest import Clock
from domain.test_journal_is_complete import CHANGES, READS, Call, World, peopled, use_cases
from permissions.words import HIDDEN, KNOWN, NO, YES, cell, first_sentence
from support.parts import taking_parts
from warehouse14.adapters.memory import MemoryFiles, MemoryUnits
from warehouse14.domain.access import Identity, TokenLimits, operator
from warehouse14.domain.errors import Forbidden, NotFound
from warehouse14.domain.model import Scope
from warehouse14.domain.warehouse import Policy, Warehouse
from warehouse14.testing.samples import DEMO, ISSUER

_POLICY = Policy(max_file_bytes=100_000, create_on_upload=True, page_cache_bytes=100_000)


@dataclass(frozen=True)
class Sample:
    """How a use case is called.

    Attributes:
        of: whose thing it is about, where that makes a difference.
        is_anothers: whether that is somebody else's than the caller's.
    """

    call: Call
    of: str = ""
    is_anothers: bool = False


@dataclass(frozen=True)
class UseCase:
    """A row of the table: ``cells`` by kind of people, and with which scopes a token does for them."""

    name: str
    of: str
    what: str
    cells: Mapping[str, str]
    scopes: frozenset[Scope]


def _own(call: Call) -> Sample:
    return Sample(call, "one's own")


def _anothers(call: Call) -> Sample:
    return Sample(call, "another's", is_anothers=True)


def _of_services(call: Callable[[World, Identity, str], object]) -> Iterable[Sample]:
    yield Sample(lambda at, me: call(at, me, f"project:{DEMO}"), "the project's")
    yield Sample(lambda at, me: call(at, me, "group:team"), "the group's")


def _service_token(at: World, service: str) -> str:
    return at.warehouse.tokens.mint(operator(), name="x", service=service).id


#: The use cases for which it makes a difference whose thing they are about.
_BY_OWNER: Mapping[str, Sequence[Sample]] = {
    "accounts.get": (
        _own(lambda at, me: at.warehouse.accounts.get(me, at.owner)),
        _anothers(lambda at, me: at.warehouse.accounts.get(me, at.owner)),
    ),
    "accounts.reset_password": (
        _anothers(lambda at, me: at.warehouse.accounts.reset_password(me, at.owner)),
    ),
    "accounts.set_password": (
        _own(lambda at, me: at.warehouse.accounts.set_password(me, at.owner, "another one")),
        _anothers(lambda at, me: at.warehouse.accounts.set_password(me, at.owner, "another one")),
    ),
    "arrivals.joined": (
        _own(lambda at, me: at.warehouse.arrivals.joined(me)),
        _anothers(lambda at, me: at.warehouse.arrivals.joined(me, at.owner)),
    ),
    "arrivals.part": (
        _own(lambda at, me: at.warehouse.arrivals.part(me, ISSUER, "248")),
        _anothers(lambda at, me: at.warehouse.arrivals.part(me, ISSUER, "248", account=at.owner)),
    ),
    "sessions.end": (
        _own(lambda at, me: at.warehouse.sessions.end(me, at.there.session.id)),
        _anothers(lambda at, me: at.warehouse.sessions.end(me, at.there.session.id)),
    ),
    "sessions.listed": (
        _own(lambda at, me: at.warehouse.sessions.listed(me)),
        _anothers(lambda at, me: at.warehouse.sessions.listed(me, at.owner)),
    ),
    "tokens.ending": (_own(lambda at, me: at.warehouse.tokens.ending(me)),),
    "tokens.listed": (
        _own(lambda at, me: at.warehouse.tokens.listed(me)),
        _anothers(lambda at, me: at.warehouse.tokens.listed(me, at.owner)),
        *_of_services(lambda at, me, service: at.warehouse.tokens.listed(me, service=service)),
    ),
    "tokens.mint": (
        _own(lambda at, me: at.warehouse.tokens.mint(me, name="x")),
        _anothers(lambda at, me: at.warehouse.tokens.mint(me, name="x", account=at.owner)),
        *_of_services(lambda at, me, service: at.warehouse.tokens.mint(me, name="x", service=service)),
    ),
    "tokens.revoke": (
        _own(lambda at, me: at.warehouse.tokens.revoke(me, at.token)),
        _anothers(lambda at, me: at.warehouse.tokens.revoke(me, at.token)),
        *_of_services(
            lambda at, me, service: at.warehouse.tokens.revoke(me, _service_token(at, service)),
        ),
    ),
    "tokens.rotate": (
        _own(lambda at, me: at.warehouse.tokens.rotate(me, at.token)),
        _anothers(lambda at, me: at.warehouse.tokens.rotate(me, at.token)),
        *_of_services(
            lambda at, me, service: at.warehouse.tokens.rotate(me, _service_token(at, service)),
        ),
    ),
}


def asked_and_unasked() -> tuple[Sequence[str], Sequence[str]]:
    """Return the use cases that ask who acts, and those that do not."""
    with _fresh() as warehouse:
        names = sorted(use_cases(warehouse))
        asked = [name for name in names if "identity" in signature(_method(warehouse, name)).parameters]
    return asked, [name for name in names if name not in asked]


def what_it_does(name: str) -> str:
    """Return the first sentence about a use case."""
    with _fresh() as warehouse:
        return first_sentence(_method(warehouse, name))


def rows() -> Sequence[UseCase]:
    """Return a row for each use case that asks who acts, or several if it matters whose thing it is about."""
    with pytest.MonkeyPatch.context() as patch:
        # The work of a password check is no subject here.
        patch.setattr("warehouse14.domain.credentials._SCRYPT_N", 2)
        return [_row(name, sample) for name in asked_and_unasked()[0] for sample in samples_of(name)]


def samples_of(name: str) -> Sequence[Sample]:
    """Return how a use case is called. One without a sample is an error."""
    if name in _BY_OWNER:
        return _BY_OWNER[name]
    assert name in CHANGES or name in READS, (
        f"{name} has no sample in tests/domain/test_journal_is_complete.py"
    )
    return [Sample(CHANGES[name].call if name in CHANGES else READS[name])]


def _row(name: str, sample: Sample) -> UseCase:
    cells = {
        kind: cell(lambda public, who=who: _tried(sample, who, public=public)) for kind, who in KNOWN.items()
    }
    able = [KNOWN[kind] for kind, written in cells.items() if written == YES]
    scopes = frozenset(
        scope for scope in Scope for who in able if _tried(sample, who, public=False, scope=scope) == YES
    )
    return UseCase(name, sample.of, what_it_does(name), cells, scopes)


def _tried(sample: Sample, who: str, *, public: bool, scope: Scope | None = None) -> str:
    """Return what somebody hears who calls it, in person or with a token."""
    owner = next(name for name in KNOWN.values() if name != who) if sample.is_anothers else who
    with _fresh() as warehouse:
        world = peopled(warehouse, owner)
        warehouse.projects.set_public(operator(), DEMO, public=public)
        me = world.who(who)
        if scope is not None:
            minted = warehouse.tokens.mint(operator(), name="a test", account=me.account, scopes={scope})
            me = replace(me, token=TokenLimits(minted.id, frozenset({scope})), session=None)
        return _heard(lambda: sample.call(world, me))


def _heard(call: Callable[[], object]) -> str:
    try:
        call()
    except NotFound:
        return HIDDEN
    except Forbidden:
        return NO
    return YES


def _fresh() -> Warehouse:
    return Warehouse(MemoryUnits(), taking_parts(MemoryFiles()), _POLICY, now=Clock(), start=lambda _: None)


def _method(warehouse: Warehouse, name: str) -> Any:
    part, _, method = name.partition(".")
    return getattr(getattr(warehouse, part), method)
