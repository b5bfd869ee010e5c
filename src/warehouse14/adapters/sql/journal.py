"""The journal in SQL."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update

from warehouse14.adapters.sql.running import Runner
from warehouse14.adapters.sql.tables import journal, projects, serials
from warehouse14.domain.model import Change
from warehouse14.domain.names import AccountName, GroupName, ProjectName

_ONLY_ROW = serials.c.id == 1
_RAISE = update(serials).where(_ONLY_ROW).values(value=serials.c.value + 1)
_SERIAL = select(serials.c.value).where(_ONLY_ROW)
_APPEND = insert(journal)
_NUMBER_PROJECT = (
    update(projects).where(projects.c.name == bindparam("of_name")).values(serial=bindparam("new_serial"))
)
_SINCE = (
    select(journal)
    .where(journal.c.serial > bindparam("after"))
    .order_by(journal.c.serial)
    .limit(bindparam("most"))
)


class SqlJournal:
    """Implements ``Journal``.

    Raising the one row of ``serials`` locks it until the commit, so that
    entries become visible in the order of their serials.
    """

    def __init__(self, runner: Runner) -> None:
        self._run = runner

    def append(self, change: Change) -> None:
        """See the port."""
        self._run.change(_RAISE, {}, kind="journal", name="serial")
        serial = self.serial()
        self._run.rows(
            _APPEND,
            serial=serial,
            at=change.at,
            actor=change.actor,
            origin=change.origin,
            action=change.action,
            project=change.project,
            account=change.account,
            token=change.token,
            group=change.group,
            detail=dict(change.detail),
        )
        if change.project is not None:
            self._run.rows(_NUMBER_PROJECT, of_name=change.project, new_serial=serial)

    def serial(self) -> int:
        """See the port."""
        return int(self._run.rows(_SERIAL).scalar_one())

    def since(self, serial: int, limit: int) -> Sequence[Change]:
        """See the port."""
        return [
            Change(
                action=row.action,
                at=row.at,
                actor=row.actor,
                origin=row.origin,
                project=None if row.project is None else ProjectName(row.project),
                account=None if row.account is None else AccountName(row.account),
                token=row.token,
                detail=row.detail,
                serial=row.serial,
                group=None if row.group is None else GroupName(row.group),
            )
            for row in self._run.rows(_SINCE, after=serial, most=limit)
        ]
