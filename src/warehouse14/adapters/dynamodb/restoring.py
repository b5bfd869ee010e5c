"""Putting what another store knows in a table, as it was there."""

import time
import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys, people_rows, rows
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.adapters.dynamodb.table import Table, put, update
from warehouse14.adapters.dynamodb.transacting import REFUSED, transact
from warehouse14.adapters.dynamodb.waiting import tries
from warehouse14.domain.errors import Conflict, Unavailable
from warehouse14.domain.model import Account, Change, File, Group, Login, Project, Token

#: How long the journal is kept where it is, in seconds, unless that is said again; and how long others that
#: do are waited for.
_KEPT, _PATIENCE = 120, 10.0
#: After how many seconds that is said again: what is left then is what a request may take with all its
#: attempts, unless the settings give it more.
_RENEWED = 10
#: By how many seconds the clocks of two machines may differ, each by two from what is right.
_SKEW = 4
#: It is still kept there by this restoration, and nobody has gone on as if it were over.
_STILL = "keeper = :keeper AND kept >= :now"
#: How many items of projects and of their lines are written in one transaction: an even number.
_BEGUN_AT_ONCE = 50
#: How many items are written before it is looked again whether the journal is still kept.
_AT_ONCE = 500
_TOO_LONG = "It took too long: another may have changed the site since. Try again."


class DynamoRestoration:
    """Implements ``Restoration``. What it puts is kept until :meth:`finish`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keeper = uuid.uuid4().hex
        self._is_kept = False
        #: In the order in which it is written. What others are found by comes before them, and goes after
        #: them: so nothing is left that nobody finds, wherever a restoration breaks off.
        self._lines: list[Item] = []
        self._who: list[Item] = []
        self._begun: list[Item] = []
        self._deleted: list[Key] = []
        self._deleted_notes: list[Key] = []
        self._notes: list[Item] = []
        self._put: list[Item] = []
        self._last: list[Item] = []
        self._unlisted: list[Key] = []
        self._serial: int | None = None
        self._run = 0
        #: When it was last said that it is kept.
        self._said = 0

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
            for name, admin in group.members.items():
                self._put += people_rows.member_items(group.name, name, admin)
        for account in accounts:
            row, line = people_rows.account_items(account)
            self._who.append(row)
            self._lines.append(line)
        for found in (*map(people_rows.login_items, logins), *map(people_rows.token_items, tokens)):
            row, *notes = found
            self._put.append(row)
            self._notes += notes

    def _find_people(self) -> None:
        """Let members, logins, tokens and sessions be deleted that are there, and their notes; also the lines
        of accounts, which may be there without one where another broke off."""
        gone, notes = self._deleted, self._deleted_notes
        for account in self._table.query(keys.ACCOUNTS):
            self._keep()
            notes.append((keys.ACCOUNTS, account["sk"]))
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
        # If this breaks off, it is found by its serial; one that is new is not there before all of it is, and
        # one that is private now shows nothing more to everybody.
        begun = (
            {**row, "deleted": rows.written(datetime.now(UTC))}
            if there is None
            else {**there, "serial": project.serial, "public": there["public"] and project.public}
        )
        if there is not None and rows.list_of(there) != rows.list_of(begun):
            self._deleted.append((rows.list_of(there), project.name))
        self._begun += [begun, rows.listing_item(begun)]
        for who, role in project.grants.items():
            own, theirs = rows.grant_items(project.name, who, role)
            self._notes.append(own)
            self._put.append(theirs)
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
            place = item["pk"], item["sk"]
            if "who" in item:
                self._deleted.append(keys.granted(item["who"], project.name))
                self._deleted_notes.append(place)
            else:
                self._deleted.append(place)
        return there

    def journal(self, changes: Sequence[Change]) -> None:
        """See the port."""
        self._keep()
        for change in changes:
            note, *others = rows.entry_items(change)
            self._notes.append(note)
            self._put += others
        if changes:
            self._serial = changes[-1].serial

    def finish(self) -> None:
        """Write all of it, the serial last."""
        if not self._is_kept:
            return
        serial = self.serial()
        self._find_unfinished(serial)
        written = (self._lines, self._who, self._notes, self._put, self._last)
        wanted = {(item["pk"], item["sk"]) for items in written for item in items}
        self._put_all(self._lines, self._who)
        self._begin_projects()
        self._delete_all(wanted, self._deleted, self._deleted_notes)
        self._put_all(self._notes, self._put, self._last)
        self._delete_all(wanted, self._unlisted)
        newest, run = serial if self._serial is None else self._serial, self.run()
        if not self._written(lambda: [self._ended(newest, run)]):
            raise Unavailable(_TOO_LONG)
        self._is_kept = False

    def _find_unfinished(self, serial: int) -> None:
        """Let entries be deleted that another restoration has left beyond the serial."""
        for item in self._table.query(keys.JOURNAL, first=keys.place(serial + 1)):
            note, *others = ((each["pk"], each["sk"]) for each in rows.entry_items(rows.entry(item)))
            self._deleted += others
            self._deleted_notes.append(note)

    def _ended(self, serial: int, run: int) -> Mapping[str, Any]:
        """Return the write that sets the serial and lets go of it."""
        return update(
            keys.SITE,
            "SET n = :n, run = :run, restored = if_not_exists(restored, :none) + :one REMOVE keeper, kept",
            _STILL,
            n=serial,
            run=run,
            none=0,
            one=1,
            keeper=self._keeper,
            now=_now() + _SKEW,
        )

    def _put_all(self, *parts: Sequence[Item]) -> None:
        """Write items, each part to its end before the next."""
        for part in parts:
            for start in range(0, len(part), _AT_ONCE):
                self._stay()
                self._table.write_many(put=part[start : start + _AT_ONCE], look=self._look)

    def _delete_all(self, wanted: Container[Key], *parts: Sequence[Key]) -> None:
        """Delete items, unless they are ``wanted``, each part to its end before the next."""
        for part in parts:
            gone = [key for key in part if key not in wanted]
            for start in range(0, len(gone), _AT_ONCE):
                self._stay()
                self._table.write_many(delete=gone[start : start + _AT_ONCE], look=self._look)

    def _begin_projects(self) -> None:
        """Write what the projects are until they are whole, each with its line of a list at once."""
        for start in range(0, len(self._begun), _BEGUN_AT_ONCE):
            self._stay(*map(put, self._begun[start : start + _BEGUN_AT_ONCE]))

    def end(self) -> None:
        """Let others commit again."""
        if self._is_kept:
            freed = update(keys.SITE, "REMOVE keeper, kept", "keeper = :keeper", keeper=self._keeper)
            with suppress(Unavailable):
                self._written(lambda: [freed])

    def _keep(self) -> None:
        """Keep the journal where it is until the end, and say so again while that takes long."""
        if self._is_kept:
            self._look()
            return
        # Where it does not answer, that may have been written nevertheless.
        self._is_kept = True
        for _ in tries(_PATIENCE):
            if self._kept("attribute_not_exists(keeper) OR kept < :now OR keeper = :keeper", 0):
                return
        raise Unavailable("Another restores this site. Try again.")

    def _look(self) -> None:
        """Go on keeping the journal where it is, unless that was said just now. The clock on the wall is
        asked: no other goes on while a machine sleeps. Raises ``Unavailable`` as :meth:`_stay` does."""
        while _now() > self._said + _RENEWED:
            self._stay()

    def _stay(self, *more: Mapping[str, Any]) -> None:
        """Go on keeping the journal where it is, and do more with that. Raises ``Unavailable`` if others may
        have gone on as if this were over."""
        if not self._kept(_STILL, _SKEW, *more):
            raise Unavailable(_TOO_LONG)

    def _kept(self, condition: str, skew: int, *more: Mapping[str, Any]) -> bool:
        """Keep the journal where it is, if that may be ``skew`` seconds from now, and do more with that."""

        def noted() -> Sequence[Mapping[str, Any]]:
            self._said = now = _now()
            values = {"keeper": self._keeper, "until": now + _KEPT, "now": now + skew}
            return [update(keys.SITE, "SET keeper = :keeper, kept = :until", condition, **values), *more]

        return self._written(noted)

    def _written(self, operations: Callable[[], Sequence[Mapping[str, Any]]]) -> bool:
        """Carry out writes, all or none, and return whether their conditions held. Commits that are on their
        way are waited for: each try is of its own time."""
        for _ in tries(_PATIENCE):
            codes = transact(self._table, operations())
            if codes is None:
                return True
            if REFUSED in codes:
                return False
        raise Unavailable("Too many change this site. Try again.")


def _now() -> int:
    """Return the time in whole seconds."""
    return int(time.time())
