"""Changes that overlap: one that another comes before, when it has decided and not committed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from warehouse14.domain.model import Change
from warehouse14.domain.ports import UnitOfWork, Units


@contextmanager
def overtaken(units: Units, do: Callable[[], object], seconds: float) -> Iterator[None]:
    """Do it right before the next journal entry of ``units``, which waits so long for that to be done."""
    write, doing = units.write, threading.Thread(target=do)

    @contextmanager
    def write_late() -> Iterator[UnitOfWork]:
        with write() as unit:
            append = unit.journal.append

            def append_late(change: Change) -> None:
                if doing.ident is None:
                    doing.start()
                    doing.join(seconds)
                append(change)

            with patch.object(unit.journal, "append", append_late):
                yield unit

    with patch.object(units, "write", write_late):
        yield
    doing.join()
