"""The index as one object: the services over one metadata store and one file store."""

import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import Full, Queue
from typing import Self

from warehouse14.domain.access import Identity, SiteRules, operator
from warehouse14.domain.catalogue import Catalogue
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.followed import FollowedCache
from warehouse14.domain.index import Index
from warehouse14.domain.names import AccountName, account_name
from warehouse14.domain.ports import FileStore, Now, Prepared, TakesIncoming, TakesParts, Units
from warehouse14.domain.readonly import ReadOnlyFiles, ReadOnlyUnits, never
from warehouse14.domain.services.accounts import AccountService, enabled_account
from warehouse14.domain.services.acting import Acting
from warehouse14.domain.services.arrivals import ArrivalService
from warehouse14.domain.services.direct import DirectUploadService
from warehouse14.domain.services.eachonce import EachOnce
from warehouse14.domain.services.files import FileService
from warehouse14.domain.services.gate import Gate, Start
from warehouse14.domain.services.groups import GroupService
from warehouse14.domain.services.incoming import IncomingService
from warehouse14.domain.services.journal import JournalService
from warehouse14.domain.services.looking import LookService
from warehouse14.domain.services.projects import ProjectService
from warehouse14.domain.services.readiness import ReadinessService
from warehouse14.domain.services.sessions import SessionService
from warehouse14.domain.services.standings import Standings
from warehouse14.domain.services.tokens import TokenService
from warehouse14.domain.services.upkeep import UpkeepService
from warehouse14.domain.services.uploads import UploadService

_log = logging.getLogger(__name__)

#: How long a close waits for small writes in the background, in seconds.
_CLOSING = 2.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site decides. Sizes are in bytes; ``rules`` are those about its people."""

    max_file_bytes: int
    create_on_upload: bool
    page_cache_bytes: int
    session_idle: timedelta = timedelta(hours=2)
    session_longest: timedelta = timedelta(hours=12)
    rules: SiteRules = field(default_factory=SiteRules)
    #: After how long without a sign-in of its owner a token counts no more; None for never.
    reverify: timedelta | None = None
    #: Whether every change is refused, for the time of a move.
    read_only: bool = False
    #: The account that files count as uploaded by which others put into the store; None if none are taken.
    incoming_account: AccountName | None = None


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Warehouse:
    """Everything that an index does, for whoever holds it.

    Attributes:
        projects, files, accounts, groups, sessions, arrivals, looking, tokens, uploads, direct, incoming,
            upkeep, journal: the use cases.
        index: the read side that follows the journal, for servers.
        catalogue: the read side for people: search, releases, what metadata says.
        readiness: whether the stores answer.
        store: the file store.
    """

    def __init__(
        self,
        units: Units,
        store: FileStore,
        policy: Policy,
        *,
        now: Now = utc_now,
        start: Start | None = None,
    ) -> None:
        """Put the services together.

        ``start`` has a direct upload pass the gate soon, by its id: it calls ``direct.run`` somewhere. By
        default a thread of this process does, for one after the other.
        """
        takes_parts = store if isinstance(store, TakesParts) else None
        takes_incoming = store if isinstance(store, TakesIncoming) else None
        self.readiness = ReadinessService(units, store)
        if policy.read_only:
            units, store = ReadOnlyUnits(units), ReadOnlyFiles(store)
        self.units = units
        self.store = store
        self.policy = policy
        self._background = Background()
        self._passing = Background()
        later = never if policy.read_only else self._background
        self._rules = rules = replace(policy.rules, reverify=policy.reverify)
        cache = FollowedCache(units, max_bytes=policy.page_cache_bytes)
        self.index = Index(units, cache)
        self.now = now
        self.catalogue = Catalogue(units, store, self.index)
        self.projects = ProjectService(units, now, rules)
        self.files = FileService(units, store, now, rules)
        self.accounts = AccountService(units, now, policy.rules)
        self.groups = GroupService(units, now, rules)
        self.sessions = SessionService(
            units,
            self.accounts,
            now,
            later,
            rules,
            Standings(units, cache, rules, now),
            idle=policy.session_idle,
            longest=policy.session_longest,
            unseen_since=now() if policy.read_only else None,
        )
        self.arrivals = ArrivalService(units, now, rules, tidy=self.sessions.tidy)
        self.looking = LookService(units, now)
        self.tokens = TokenService(units, cache, now, later, rules)
        self.upkeep = UpkeepService(units, store, now)
        self.journal = JournalService(units, now, rules)
        self.uploads = UploadService(
            units,
            store,
            now,
            rules,
            max_file_bytes=policy.max_file_bytes,
            create_on_upload=policy.create_on_upload,
        )
        self.direct = DirectUploadService(
            self.uploads,
            takes_parts,
            Gate(self.uploads, Acting(self.tokens, self.account), now),
            start or EachOnce(self._passing, self.pass_upload),
            now,
            read_only=policy.read_only,
        )
        self.incoming = IncomingService(
            self.uploads,
            takes_incoming,
            policy.incoming_account,
            self.account,
            now,
            read_only=policy.read_only,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def operator(self) -> Identity:
        """Return the identity of whoever holds this object: everything is allowed."""
        return operator("embedded")

    def account(self, name: str) -> Identity:
        """Return the identity of an account, to act as it.

        Raises ``NotFound``, and ``Rejected`` for one that is disabled.
        """
        with self.units.read() as unit:
            account = enabled_account(unit, account_name(name))
            ours = unit.groups.of(account.name)
        return self._rules.standing(account, ours, self.now()).identity(origin="embedded")

    def prepare(self) -> None:
        """Make or upgrade what the stores need. Safe to run again. Raises ``Misconfigured``."""
        for adapter in self._prepared():
            adapter.prepare()

    def verify(self) -> None:
        """Raise ``Misconfigured`` unless the stores are as this program needs them."""
        for adapter in self._prepared():
            adapter.verify()

    def settle(self, timeout: float) -> bool:
        """Wait ``timeout`` seconds at most for the writes in the background that were begun by now, for
        whoever is stopped between requests. Return whether they are done."""
        return self._background.settle(timeout)

    def close(self, timeout: float = _CLOSING) -> None:
        """Let go of threads, connections and files, after ``timeout`` seconds at most for writes in the
        background. A direct upload that is in the middle of the gate goes on elsewhere, or later."""
        deadline = time.monotonic() + timeout
        self._background.close(timeout)
        self._passing.close(max(0.0, deadline - time.monotonic()))
        self.readiness.close()
        for adapter in self._prepared():
            adapter.close()

    def pass_upload(self, upload: str) -> None:
        """Let a direct upload pass the gate, in this thread. That a store does not answer is logged: the next
        who asks has it begun anew."""
        try:
            self.direct.run(upload)
        except Unavailable as error:
            _log.error("a direct upload waits: %s", error.in_full, exc_info=error.__cause__)

    def _prepared(self) -> list[Prepared]:
        return [adapter for adapter in (self.units, self.store) if isinstance(adapter, Prepared)]


class Background:
    """One thread for small writes that nobody waits for. What it cannot do is dropped."""

    _LENGTH = 1000

    def __init__(self) -> None:
        self._tasks: Queue[Callable[[], None] | None] = Queue(self._LENGTH)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, task: Callable[[], None]) -> None:
        """Run ``task`` soon, or never if too many wait."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="warehouse14", daemon=True)
                self._thread.start()
        try:
            # With the name of the request, for the log.
            self._tasks.put_nowait(partial(copy_context().run, task))
        except Full:
            return

    def settle(self, timeout: float) -> bool:
        """Wait ``timeout`` seconds at most until what waits by now is done. Return whether it is."""
        if self._thread is None:
            return True
        deadline, done = time.monotonic() + timeout, threading.Event()
        try:
            self._tasks.put(done.set, timeout=max(0.0, timeout))
        except Full:
            return False
        return done.wait(max(0.0, deadline - time.monotonic()))

    def close(self, timeout: float = _CLOSING) -> None:
        """Finish what waits and end the thread, or leave it, a daemon, if that takes over ``timeout``
        seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._tasks.put(None, timeout=timeout)
        except Full:
            return
        thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                task()
            except Exception:  # noqa: BLE001 - whatever it is, the thread goes on
                _log.exception("a write in the background failed")
