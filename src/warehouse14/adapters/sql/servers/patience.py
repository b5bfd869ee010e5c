"""A connection to PostgreSQL that does not wait for ever.

The server's own limits end what takes it too long. They do nothing when the
server, or the network before it, falls silent; and libpq then waits on.
"""

from collections.abc import Generator
from time import monotonic
from typing import Any

from psycopg import Connection, OperationalError


class BoundedConnection(Connection[tuple[Any, ...]]):
    """A connection each of whose answers has to come within ``answer_seconds``; after that it is closed."""

    answer_seconds: float = 60.0

    def wait(self, gen: Generator[Any, Any, Any], *words: Any, **options: Any) -> Any:
        """Do what ``gen`` does, within the time. Raises ``OperationalError``."""
        return super().wait(self._bounded(gen), *words, **options)

    def _bounded(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        deadline = monotonic() + self.answer_seconds
        try:
            state = next(gen)
            while True:
                ready = yield state
                if monotonic() >= deadline:
                    self.pgconn.finish()
                    raise OperationalError(f"no answer in {self.answer_seconds:g} seconds")
                state = gen.send(ready)
        except StopIteration as end:
            return end.value
