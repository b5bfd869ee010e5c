"""Copies a site in a process that ends itself, as ``kill -9`` does, right before the step of a number:

``python -m moving.dying SOURCE.ini TARGET.ini STEP``. Every call of the target's stores is a step.
"""

import os
import signal
import sys
import threading
from contextlib import closing
from typing import Any

from warehouse14.bootstrap import assemble, prepare_site
from warehouse14.cli.site import named_site
from warehouse14.domain.ports import FileStore, Restores
from warehouse14.domain.services.moving import MoveService


class Steps:
    """Counts, and ends the process."""

    def __init__(self, last: int) -> None:
        self._left = last
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Counted:
    """Stands in front of a store, or what it returns, and makes every call a step."""

    def __init__(self, real: Any, steps: Steps) -> None:
        self._real = real
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not callable(found):
            return found

        def call(*words: Any, **named: Any) -> Any:
            self._steps()
            result = found(*words, **named)
            return Counted(result, self._steps) if name in {"stage", "restoring", "read"} else result

        return call

    def __enter__(self) -> Any:
        return Counted(self._real.__enter__(), self._steps)

    def __exit__(self, *error: object) -> Any:
        # What is finished here may be cut off before it is, too.
        self._steps()
        return self._real.__exit__(*error)


def copy(source: str, target: str, last: int) -> None:
    one, *_ = assemble(named_site(source).settings())
    other, site, _ = assemble(named_site(target).settings())
    with closing(one), closing(other):
        prepare_site(site)
        other.prepare()
        steps = Steps(last)
        units, store = Counted(other.units, steps), Counted(other.store, steps)
        assert isinstance(units, Restores)
        assert isinstance(store, FileStore)
        for _ in MoveService(one.units, one.store, one.now).copy_to(units, store):  # type: ignore[arg-type]
            pass


if __name__ == "__main__":
    copy(sys.argv[1], sys.argv[2], int(sys.argv[3]))
