"""Reading the journal: of a project, of a group, of the site, of one's own account."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from warehouse14.domain.access import Identity, Permission, SiteRules, token_allows
from warehouse14.domain.errors import Forbidden, NotFound
from warehouse14.domain.journal import Sought
from warehouse14.domain.model import Change
from warehouse14.domain.names import group_name, project_name
from warehouse14.domain.ports import Now, UnitOfWork, Units
from warehouse14.domain.services.standings import as_of_now
from warehouse14.domain.services.working import managed_group, permitted_project, require_site

#: Raises for whoever may not read what a selection holds.
Permit = Callable[[UnitOfWork, Identity], object]

_ANYTHING = Sought()
#: How many entries one unit reads of all that are sought.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Some entries, the newest first, and whether there are others on either side."""

    entries: Sequence[Change]
    has_newer: bool
    has_older: bool


class Selection:
    """What somebody may read of the journal, and seeks. Whether they may is asked again at each reading.

    Args:
        permit: raises unless they may.
    """

    def __init__(self, units: Units, permit: Callable[[UnitOfWork], object], sought: Sought) -> None:
        self._units = units
        self._permit = permit
        self._sought = sought

    def page(self, *, before: int | None = None, after: int | None = None, count: int = 50) -> JournalPage:
        """Return ``count`` entries next before a serial, or next after one, or the newest.

        Where fewer than ``count`` are newer, that is the page of the newest.
        """
        with self._units.read() as unit:
            self._permit(unit)
            entries = unit.journal.found(self._sought, before=before, after=after, count=count)
            if after is not None and len(entries) < count:
                entries = unit.journal.found(self._sought, before=None, after=None, count=count)
            return JournalPage(
                entries,
                has_newer=bool(entries) and self._is_any(unit, after=entries[0].serial),
                has_older=bool(entries) and self._is_any(unit, before=entries[-1].serial),
            )

    def all(self) -> Iterator[Change]:
        """Yield all entries, the newest first. Nothing is held open in between."""
        before: int | None = None
        while True:
            with self._units.read() as unit:
                self._permit(unit)
                entries = unit.journal.found(self._sought, before=before, after=None, count=_BATCH)
            yield from entries
            if len(entries) < _BATCH:
                return
            before = entries[-1].serial

    def _is_any(self, unit: UnitOfWork, *, before: int | None = None, after: int | None = None) -> bool:
        return bool(unit.journal.found(self._sought, before=before, after=after, count=1))


class JournalService:
    """The use cases on the journal. All of them read."""

    def __init__(self, units: Units, now: Now, rules: SiteRules) -> None:
        self._units = units
        self._now = now
        self._rules = rules

    def of_project(self, identity: Identity, name: str, sought: Sought = _ANYTHING) -> Selection:
        """Return what happened to a project, for those who manage it.

        Raises ``NotFound``, and ``Forbidden`` for those who only read it.
        """
        project = project_name(name)
        return self._selected(
            identity,
            lambda unit, reader: permitted_project(unit, reader, Permission.MANAGE, project),
            replace(sought, project=project),
        )

    def of_group(self, identity: Identity, name: str, sought: Sought = _ANYTHING) -> Selection:
        """Return what happened to a group, for those who manage it.

        Raises ``NotFound``, and ``Forbidden`` for those who only see it.
        """
        group = group_name(name)
        return self._selected(
            identity,
            lambda unit, reader: managed_group(unit, reader, group),
            replace(sought, group=group),
        )

    def of_site(self, identity: Identity, sought: Sought = _ANYTHING) -> Selection:
        """Return what happened on the whole site, for its administrators. Raises ``Forbidden``."""
        return self._selected(identity, lambda _, reader: require_site(reader, Permission.ADMINISTER), sought)

    def of_account(self, identity: Identity, sought: Sought = _ANYTHING) -> Selection:
        """Return what one's own account did, and what was done to it.

        Raises ``NotFound`` for the operator, who has none, and ``Forbidden`` for a token that does not
        manage.
        """
        if identity.account is None:
            raise NotFound("account", "of this identity")
        if not token_allows(identity, Permission.MANAGE, None):
            raise Forbidden("This token does not open the journal. Sign in with a browser.")
        return self._selected(identity, lambda *_: None, replace(sought, concerning=identity.account))

    def _selected(self, identity: Identity, permit: Permit, sought: Sought) -> Selection:
        def permit_now(unit: UnitOfWork) -> None:
            permit(unit, as_of_now(unit, identity, self._rules, self._now))

        with self._units.read() as unit:
            permit_now(unit)
        return Selection(self._units, permit_now, sought)
