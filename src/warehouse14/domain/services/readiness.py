"""Whether the stores answer, for whoever sends requests to a server only while they do."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from warehouse14.domain.errors import Unavailable
from warehouse14.domain.ports import FileStore, Prepared, Units

_log = logging.getLogger(__name__)

#: How long an answer is good, in seconds: anybody may ask.
_GOOD_FOR = 1.0
#: How long a store may take, in seconds. Its own limits are meant for work, and are longer.
_PATIENCE = 3.0
#: There is no blob of this key: to say so, a store has to answer.
_NO_BLOB = "health/ready"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one store did. ``seconds`` is how long that took, or has taken by now."""

    store: str
    is_well: bool
    seconds: float


class ReadinessService:
    """Asks both stores at once, not more often than every second, and for one caller at a time: whoever
    comes meanwhile gets the answers from before, so that a store that is silent holds one caller, for three
    seconds, and one thread of its own."""

    def __init__(self, units: Units, store: FileStore) -> None:
        self._probes = [
            _Probe("metadata", units.pulse),
            _Probe("files", _question_to(store)),
        ]
        self._asking = threading.Lock()
        self._asked_at = float("-inf")
        self._answers: Sequence[Answer] = [
            Answer(probe.store, is_well=False, seconds=0) for probe in self._probes
        ]

    def answers(self) -> Sequence[Answer]:
        """Return what each store answers, or answered when it was asked last."""
        is_due = time.monotonic() - self._asked_at > _GOOD_FOR
        if is_due and self._asking.acquire(blocking=False):
            try:
                for probe in self._probes:
                    probe.ask()
                self._answers = [probe.answer() for probe in self._probes]
                self._asked_at = time.monotonic()
            finally:
                self._asking.release()
        return self._answers

    def close(self) -> None:
        """End the threads, but for one that a store is silent to."""
        for probe in self._probes:
            probe.close()


def _question_to(store: FileStore) -> Callable[[], object]:
    """Return what to ask: whether its ground is there. Of a blob, a bucket that is gone says what one
    without that blob says."""
    if isinstance(store, Prepared):
        return store.verify
    return lambda: store.stat(_NO_BLOB)


class _Probe:
    """Asks one store, in a thread that stays: adapters may keep a connection for each thread."""

    def __init__(self, store: str, question: Callable[[], object]) -> None:
        self.store = store
        self._question = question
        self._turns: SimpleQueue[bool] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._answered = threading.Event()
        self._answered.set()
        self._asked_at = 0.0
        self._answer = Answer(store, is_well=True, seconds=0)
        self._was_well = True

    def ask(self) -> None:
        """Ask, unless the store still owes the last answer."""
        if not self._answered.is_set():
            return
        self._answered.clear()
        self._asked_at = time.monotonic()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"ready-{self.store}", daemon=True)
            self._thread.start()
        self._turns.put(True)

    def answer(self) -> Answer:
        """Return what the store answers, or after a while that it is silent; log it when it changes."""
        left = self._asked_at + _PATIENCE - time.monotonic()
        if self._answered.wait(max(left, 0)):
            answer = self._answer
        else:
            answer = Answer(self.store, is_well=False, seconds=time.monotonic() - self._asked_at)
            if self._was_well:
                _log.error("not ready: %s is silent for more than %g seconds", self.store, _PATIENCE)
        if answer.is_well and not self._was_well:
            _log.warning("ready again: %s answers", self.store)
        self._was_well = answer.is_well
        return answer

    def close(self) -> None:
        """Let the thread end."""
        self._turns.put(False)

    def _run(self) -> None:
        while self._turns.get():
            is_well = self._is_well()
            self._answer = Answer(self.store, is_well, time.monotonic() - self._asked_at)
            self._answered.set()

    def _is_well(self) -> bool:
        try:
            self._question()
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
            said = error.in_full if isinstance(error, Unavailable) else repr(error)
            if self._was_well:
                _log.error("not ready: %s does not answer: %s", self.store, said)
            return False
        return True
