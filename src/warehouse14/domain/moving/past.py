"""What the journal knows of a project that may have been taken over: by whom it was made, and what people
have decided since."""

from collections.abc import Iterator

from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Action, Change
from warehouse14.domain.names import OPERATOR, Principal, ProjectName, account_principal
from warehouse14.domain.ports import UnitOfWork, Units

#: How many entries are read at once.
_PAGE = 500
_OPENINGS = frozenset({Action.PROJECT_PUBLIC, Action.PROJECT_PRIVATE})


def made_from(units: Units, name: ProjectName) -> str | None:
    """Return where the operator was who made a project, or None if somebody else did, or the journal knows of
    nobody."""
    with units.read() as unit:
        first = unit.journal.found(Sought(project=name), before=None, after=0, count=1)
    return first[0].origin if first and first[0].actor == OPERATOR else None


def decided_roles(units: Units, name: ProjectName) -> frozenset[Principal]:
    """Return everybody who was ever given a role on a project, or from whom one was taken."""
    with units.read() as unit:
        return frozenset(who for change in _entries(unit, name) for who in _named(change))


def decided_opening(units: Units, name: ProjectName) -> bool:
    """Whether a project was ever made public or private."""
    with units.read() as unit:
        return any(change.action in _OPENINGS for change in _entries(unit, name))


def _named(change: Change) -> Iterator[Principal]:
    if change.action == Action.PROJECT_CREATE and change.account is not None:
        yield account_principal(change.account)
    if "principal" in change.detail:
        yield Principal(change.detail["principal"])


def _entries(unit: UnitOfWork, name: ProjectName) -> Iterator[Change]:
    """Return what the journal says of a project itself, the newest first."""
    sought, before = Sought(project=name, action="project."), None
    while found := unit.journal.found(sought, before=before, after=None, count=_PAGE):
        yield from found
        before = found[-1].serial
