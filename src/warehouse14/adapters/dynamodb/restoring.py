"""Putting what another store knows in a table, as it was there."""

import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.adapters.dynamodb.table import Table, put, update
from warehouse14.adapters.dynamodb.transacting import transact
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Conflict, Unavailable
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token

#: How long the journal is kept where it is, in seconds, unless that is said again; and how long others that
#: do are waited for.
_KEPT, _PATIENCE = 120, 10.0
#: It is still kept there by this restoration, and nobody has gone on as if it were over.
_STILL = "keeper = :keeper AND kept >= :now"
_REFUSED = "ConditionalCheckFailed"
#: How many items of projects and of their lines are written in one transaction: an even number.
_BEGUN_AT_ONCE = 50
_TOO_LONG = "It took too long: another may have changed the site since. Try again."


class DynamoRestoration:
    """Implements ``Restoration``. What it puts is kept until :meth:`finish`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keeper = uuid.uuid4().hex
        self._is_kept = False
        #: In the order in which it is written: who is there, and which projects change, comes before all that
        #: may be found in part; what others point to comes last.
        self._who: list[dict[str, Any]] = []
        self._begun: list[dict[str, Any]] = []
        self._deleted: list[Key] = []
        #: What others are found by: it goes after them, so that a restoration that breaks off leaves nothing
        #: that nobody finds.
        self._deleted_notes: list[Key] = []
        self._put: list[dict[str, Any]] = []
        self._last: list[dict[str, Any]] = []
        self._unlisted: list[Key] = []
        self._serial: int | None = None
        self._run = 0

    def serial(self) -> int:
        """See the port."""
        self._keep()
        return int((self._table.get(keys.SITE) or {}).get("n", 0))

    def begin(self) -> int:
        """See the port."""
        self._run = self.run() + 1
        return self._run

    def run(self) -> int:
        """See the port."""
        self._keep()
        return self._run or int((self._table.get(keys.SITE) or {}).get("run", 0))

    def people(
        self,
        accounts: Sequence[Account],
        groups: Sequence[Group],
        logins: Sequence[Login],
        tokens: Sequence[Token],
    ) -> None:
        """See the port."""
        self._keep()
        self._find_people()
        for group in groups:
            self._who.append(people_rows.group_item(group))
            for account, admin in group.members.items():
                self._put += people_rows.member_items(group.name, account, admin)
        self._who += [item for account in accounts for item in people_rows.account_items(account)]
        self._put += [item for login in logins for item in people_rows.login_items(login)]
        self._put += [item for token in tokens for item in people_rows.token_items(token)]

    def _find_people(self) -> None:
        """Let members, logins, tokens and sessions be deleted that are there, and their notes."""
        gone, notes = self._deleted, self._deleted_notes
        for account in self._table.query(keys.ACCOUNTS):
            for note in self._table.query(keys.of_account(account["sk"]), first=keys.ROW + "!"):
                notes.append((note["pk"], note["sk"]))
                gone += [(note["to"], keys.ROW)] if "to" in note else []
        gone += [(item["pk"], item["sk"]) for item in self._table.query(keys.GROUPS) if "account" in item]
        notes += [(item["pk"], item["sk"]) for item in self._table.query(keys.ENDING)]
        for session in self._table.query(keys.SESSIONS):
            gone.append(keys.session(session["id"]))
            notes += people_rows.session_notes(session)

    def project(self, project: Project, files: Sequence[File]) -> None:
        """See the port."""
        self._keep()
        row = rows.project_item(project)
        there = self._replaced(project)
        # If this breaks off, it is found by its serial; one that is new is not there before all of it is.
        begun = (
            {**row, "deleted": rows.written(datetime.now(UTC))}
            if there is None
            else {**there, "serial": project.serial}
        )
        self._begun += [begun, rows.listing_item(begun)]
        for who, role in project.grants.items():
            self._put += rows.grant_items(project.name, who, role)
        self._put += map(rows.file_item, files)
        self._last += [row, rows.listing_item(row)]
        self._unlisted += [(partition, project.name) for partition in keys.LISTS]

    def _replaced(self, project: Project) -> dict[str, Any] | None:
        """Delete what is there of a project, and return its item, or None. Raises ``Conflict`` if that is
        newer."""
        there = None
        for item in self._table.query(keys.of_project(project.name)):
            if item["sk"] == keys.ROW:
                there = item
            if item.get("serial", 0) > project.serial:
                raise Conflict("project", project.name)
            self._deleted.append((item["pk"], item["sk"]))
            if "who" in item:
                self._deleted.append(keys.granted(item["who"], project.name))
        return there

    def journal(self, changes: Sequence[Change]) -> None:
        """See the port."""
        self._keep()
        self._put += [item for change in changes for item in rows.entry_items(change)]
        if changes:
            self._serial = changes[-1].serial

    def finish(self) -> None:
        """Write all of it, the serial last."""
        if not self._is_kept:
            return
        wanted = {(item["pk"], item["sk"]) for item in (*self._who, *self._put, *self._last)}
        self._write(put=self._who)
        self._begin_projects()
        for gone in (self._deleted, self._deleted_notes):
            self._write(delete=[key for key in gone if key not in wanted])
        self._write(put=self._put)
        self._write(put=self._last)
        self._write(delete=[key for key in self._unlisted if key not in wanted])
        serial = self.serial() if self._serial is None else self._serial
        ended = update(
            keys.SITE,
            "SET n = :n, run = :run, restored = if_not_exists(restored, :none) + :one REMOVE keeper, kept",
            _STILL,
            n=serial,
            run=self.run(),
            none=0,
            one=1,
            keeper=self._keeper,
            now=_now(),
        )
        if not self._written(ended):
            raise Unavailable(_TOO_LONG)
        self._is_kept = False

    def _write(self, put: Sequence[Item] = (), delete: Sequence[Key] = ()) -> None:
        """Write items, if there are any and the journal is still kept where it is."""
        if not put and not delete:
            return
        if not self._kept(_STILL):
            raise Unavailable(_TOO_LONG)
        self._table.write_many(put=put, delete=delete)

    def _begin_projects(self) -> None:
        """Write what the projects are until they are whole, each with its line of a list at once."""
        for start in range(0, len(self._begun), _BEGUN_AT_ONCE):
            if not self._kept(_STILL, *map(put, self._begun[start : start + _BEGUN_AT_ONCE])):
                raise Unavailable(_TOO_LONG)

    def end(self) -> None:
        """Let others commit again."""
        if self._is_kept:
            with suppress(Unavailable):
                self._written(
                    update(keys.SITE, "REMOVE keeper, kept", "keeper = :keeper", keeper=self._keeper)
                )

    def _keep(self) -> None:
        """Keep the journal where it is until the end."""
        if self._is_kept:
            return
        # Where it does not answer, that may have been written nevertheless.
        self._is_kept = True
        for _ in tries(_PATIENCE):
            if self._kept("attribute_not_exists(keeper) OR kept < :now OR keeper = :keeper"):
                return
        raise Unavailable("Another restores this site. Try again.")

    def _kept(self, condition: str, *more: Mapping[str, Any]) -> bool:
        """Keep the journal where it is, if that may be, and do more with that."""
        now = _now()
        values = {"keeper": self._keeper, "until": now + _KEPT, "now": now}
        noted = update(keys.SITE, "SET keeper = :keeper, kept = :until", condition, **values)
        return self._written(noted, *more)

    def _written(self, *operations: Mapping[str, Any]) -> bool:
        """Carry out writes, all or none, and return whether their conditions held. Commits that are on their
        way are waited for."""
        for _ in tries(_PATIENCE):
            reasons = transact(self._table, operations)
            if reasons is None:
                return True
            if any(reason.get("Code") == _REFUSED for reason in reasons):
                return False
        raise Unavailable("Too many change this site. Try again.")


def _now() -> int:
    """Return the time in whole seconds."""
    return int(time.time())
