"""What DynamoDB does and DynamoDB Local never: put between boto3 and the service, below its own attempts.

It throttles, has conflicts of transactions, loses answers, is slow, leaves parts of
batches undone, shows one write without another, and answers reads from what
was a while ago.
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Container, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from support.table_answers import (
    being_made,
    body_of,
    cancelled,
    conflicting,
    from_tables,
    partly,
    refused,
    throttled,
    without,
)
from support.tables import DynamoDBLocal

Fault = Callable[[AWSPreparedRequest], AWSResponse | None]

#: Stands for every operation.
ANY = "*"
_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem"})


class TableFaults:
    """A context manager in which every client for DynamoDB that this process makes meets what is planned.

    At the end all that was planned must have been met, and no read have been eventually consistent, but for
    those that may be.

    Attributes:
        asked: the operations of all requests, in order; each attempt is one.
        weak_reads: those that asked for no strong consistency: the operation, and the index if there is one.
    """

    def __init__(self, server: DynamoDBLocal, *, may_be_weak: Container[str] = ()) -> None:
        self.asked: list[str] = []
        self.weak_reads: list[str] = []
        self._server = server
        self._may_be_weak = may_be_weak
        self._plans: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._then: dict[str, str] = {}
        self._missed: dict[str, dict[str, str]] = {}
        self._left: list[str] = []
        self._http = URLLib3Session(timeout=30)
        self._lock = threading.Lock()
        self._patch = patch.object(Session, "create_client", self._watching(Session.create_client))

    def throttle(
        self, operation: str = ANY, *, times: int = 1, after: int = 0, error: str = "ThrottlingException"
    ) -> None:
        """Refuse the next calls of an operation, of which ``after`` more pass before: too much was asked.
        ``error`` is one of ``support.table_answers.THROTTLED``."""
        self._plan(operation, partial(throttled, error=error), times, after)

    def conflict(self, operation: str = "TransactWriteItems", *, times: int = 1, after: int = 0) -> None:
        """Refuse the next writes: another transaction has one of their items in its hands."""
        self._plan(operation, conflicting, times, after)

    def refuse(self, operation: str, error: str, *, times: int = 1, after: int = 0) -> None:
        """Refuse the next calls of an operation with an error of this name."""
        self._plan(operation, partial(refused, error=error), times, after)

    def cancel(self, operation: str, code: str, *, times: int = 1, after: int = 0) -> None:
        """Cancel the next transactions of one kind for a reason with this code."""
        self._plan(operation, partial(cancelled, code=code), times, after)

    def lose_answer(self, operation: str = ANY, *, times: int = 1, after: int = 0) -> None:
        """Let the service do what the next calls ask, and cut the connection before the answer."""
        self._plan(operation, self._lose, times, after)

    def delay(self, operation: str, seconds: float, *, times: int = 1, after: int = 0) -> None:
        """Let the next calls of an operation come to the service so late."""
        self._plan(operation, partial(_late, seconds=seconds), times, after)

    def leave_undone(self, operation: str, *, times: int = 1, after: int = 0, done: int = 1) -> None:
        """Let only the first ``done`` items of the next BatchGetItem or BatchWriteItem be processed, or the
        last ones if it is negative: the service keeps to no order."""
        self._plan(operation, partial(partly, send=self._http.send, done=done), times, after)

    def make_slowly(self, *, times: int = 1) -> None:
        """Say of a table that it is being made as often as somebody looks at it."""
        self._plan("DescribeTable", partial(being_made, send=self._http.send), times, 0)

    def leave_out(self, item: dict[str, Any], *, times: int = 1, after: int = 0) -> None:
        """Answer the next queries without the item that has these attributes, as it is not there yet."""
        self._plan("Query", partial(without, send=self._http.send, item=item), times, after)

    def hold_back(self, table: str) -> None:
        """Answer eventually consistent reads of a table from what is in it now, whatever is written."""
        self._then[table] = self._server.copy(table)

    def miss(self, operation: str, table: str) -> None:
        """Answer one kind of read from what is in a table now, as if transactions had not come to what it
        asks for yet."""
        self._missed[operation] = {table: self._server.copy(table)}

    def mend(self) -> None:
        """Forget what is planned, and let all reads see what is there."""
        with self._lock:
            self._plans.clear()
        # Requests that are on their way may still be answered from these.
        self._left += [name for then in (self._then, *self._missed.values()) for name in then.values()]
        self._then.clear()
        self._missed.clear()

    def watch(self, client: Any) -> None:
        """Let a client that was made before meet what is planned, too."""
        client.meta.events.register_first("before-send.dynamodb", self._meet)

    def _plan(self, operation: str, fault: Fault, times: int, after: int) -> None:
        with self._lock:
            self._plans[operation].extend([*[None] * after, *[fault] * times])

    def _meet(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        """Answer a request in the place of the service; None lets it go there."""
        operation = event_name.rpartition(".")[2]
        fault = self._met(operation)
        reading = list(_weak(operation, request))
        self.weak_reads += reading
        if fault is not None:
            return fault(request)
        then = self._missed.get(operation) or (self._then if reading else {})
        return from_tables(request, self._http.send, then) if then else None

    def _met(self, operation: str) -> Fault | None:
        """Return what is planned for a request, which is one of its operation and one of all."""
        with self._lock:
            self.asked.append(operation)
            plans = [self._plans[name] for name in (operation, ANY)]
            faults = [plan.popleft() for plan in plans if plan]
        return next((fault for fault in faults if fault is not None), None)

    def _lose(self, request: AWSPreparedRequest) -> AWSResponse:
        self._http.send(request)
        raise ConnectionClosedError(endpoint_url=request.url)

    def _watching(self, create: Callable[..., Any]) -> Callable[..., Any]:
        def create_client(session: Session, service_name: str, *more: Any, **options: Any) -> Any:
            client = create(session, service_name, *more, **options)
            if service_name == "dynamodb":
                self.watch(client)
            return client

        return create_client

    def __enter__(self) -> Self:
        self._patch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._patch.stop()
        unmet = {name: len(plan) for name, plan in self._plans.items() if plan}
        self.mend()
        self._server.remove(*self._left)
        self._http.close()
        if kind is None:
            assert not unmet, f"nobody asked for so many more of these: {unmet}"
            weak = [read for read in self.weak_reads if read not in self._may_be_weak]
            assert not weak, f"these reads were not strongly consistent: {weak}"


def _late(request: AWSPreparedRequest, seconds: float) -> None:
    time.sleep(seconds)


def _weak(operation: str, request: AWSPreparedRequest) -> Iterable[str]:
    """Yield the operation, and the index if there is one, if it reads what may be old."""
    if operation not in _READS:
        return
    asked = body_of(request)
    parts = asked["RequestItems"].values() if "RequestItems" in asked else [asked]
    for part in parts:
        if not part.get("ConsistentRead"):
            yield " ".join(filter(None, [operation, part.get("IndexName")]))
