"""Units of work on a table."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.accounts import DynamoAccounts, DynamoLogins
from warehouse14.adapters.dynamodb.attempts import DynamoAttempts
from warehouse14.adapters.dynamodb.client import make_client
from warehouse14.adapters.dynamodb.committing import Committer
from warehouse14.adapters.dynamodb.files import DynamoFiles
from warehouse14.adapters.dynamodb.groups import DynamoGroups
from warehouse14.adapters.dynamodb.holding import hold, release
from warehouse14.adapters.dynamodb.journal import DynamoJournal
from warehouse14.adapters.dynamodb.moment import Moment
from warehouse14.adapters.dynamodb.opening import Options
from warehouse14.adapters.dynamodb.projects import DynamoProjects
from warehouse14.adapters.dynamodb.restoring import DynamoRestoration
from warehouse14.adapters.dynamodb.schema import prepare, verify
from warehouse14.adapters.dynamodb.sessions import DynamoSessions
from warehouse14.adapters.dynamodb.table import Table
from warehouse14.adapters.dynamodb.tokens import DynamoTokens
from warehouse14.domain.names import ProjectName
from warehouse14.domain.ports import Restoration, UnitOfWork


class DynamoUnits:
    """Metadata in one table. Implements ``Units``, ``Restores``, ``Settles`` and ``Prepared``.

    What a unit reads is no older than its beginning, but not all of one moment. What it writes is
    written at once, and rests on what was true then.
    """

    #: A transaction comes to one item after the other: within milliseconds, if the service itself is well.
    settle_seconds = 2.0

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client = make_client(options)
        self._table = Table(self._client, options.table)
        self._committer = Committer(self._table)
        #: A serial that somebody was told of.
        self._newest = 0
        #: The serials at which projects are known to be without grants.
        self._bare: dict[ProjectName, int] = {}

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """See the port."""
        moment = Moment(self._table, writable=False)
        try:
            yield DynamoUnit(moment, _only_reads, self._newest, self._bare)
        finally:
            moment.end()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """See the port."""
        moment = Moment(self._table, writable=True)
        try:
            yield DynamoUnit(moment, partial(hold, self._table, moment), self._newest, self._bare)
            self._committer.commit(moment)
        finally:
            moment.end()
            release(self._table, moment)

    @contextmanager
    def restoring(self) -> Iterator[Restoration]:
        """See the port. It is written at the end, the journal last: a restoration that ends before may be
        there in part, and is put again."""
        restoration = DynamoRestoration(self._table)
        try:
            yield restoration
            restoration.finish()
        finally:
            restoration.end()

    def pulse(self) -> Hashable:
        """Return the newest serial, and how often something was restored."""
        known = self._newest
        site = self._table.get(keys.SITE) or {}
        serial = int(site.get("n", 0))
        # Less than was known before it was asked has a table alone that was put back.
        self._newest = serial if serial < known else max(self._newest, serial)
        return serial, site.get("restored", 0)

    def prepare(self) -> None:
        """Make the table, unless it is there. Raises ``Misconfigured``."""
        prepare(self._client, self._options)

    def verify(self) -> None:
        """Raise ``Misconfigured`` unless the table is there and is ours."""
        verify(self._client, self._options)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class DynamoUnit:
    """Implements ``UnitOfWork``.

    Args:
        moment: what the nouns share.
        hold: holds a name.
        newest: a serial that is known to be reached.
        bare: the serials at which projects are known to be without grants.
    """

    def __init__(
        self, moment: Moment, hold: Callable[[str], None], newest: int, bare: dict[ProjectName, int]
    ) -> None:
        self.hold = hold
        self.projects = DynamoProjects(moment, bare)
        self.files = DynamoFiles(moment)
        self.accounts = DynamoAccounts(moment)
        self.groups = DynamoGroups(moment)
        self.logins = DynamoLogins(moment)
        self.tokens = DynamoTokens(moment)
        self.sessions = DynamoSessions(moment)
        self.attempts = DynamoAttempts(moment)
        self.journal = DynamoJournal(moment, newest)


def _only_reads(name: str) -> None:
    raise RuntimeError(f"this unit of work only reads, and cannot hold {name}")
