"""The runtime client of AWS Lambda in a process that may write below /tmp alone, as on the platform."""

import errno
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_WRITABLE = ("/tmp/", "/dev/null")  # noqa: S108 - it is what Lambda has


def _opened(arguments: tuple[Any, ...]) -> list[Any]:
    path, _, flags = arguments
    return [path] if flags & _WRITES else []


#: The paths that an event of the interpreter is about to change (Python, "Audit events table").
_CHANGED: dict[str, Callable[[tuple[Any, ...]], list[Any]]] = {
    "open": _opened,
    "os.mkdir": lambda arguments: [arguments[0]],
    "os.remove": lambda arguments: [arguments[0]],
    "os.rmdir": lambda arguments: [arguments[0]],
    "os.link": lambda arguments: [arguments[1]],
    "os.symlink": lambda arguments: [arguments[1]],
    "os.rename": lambda arguments: list(arguments[:2]),
    "sqlite3.connect": lambda arguments: [arguments[0]],
}


def _is_writable(path: str) -> bool:
    return f"{path}/".startswith(_WRITABLE)


def _only_below_tmp(event: str, arguments: tuple[Any, ...]) -> None:
    for path in _CHANGED.get(event, lambda _: [])(arguments):
        if not isinstance(path, int) and not _is_writable(os.path.abspath(os.fsdecode(path))):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fsdecode(path))


sys.addaudithook(_only_below_tmp)
sys.argv = ["awslambdaric", *sys.argv[1:]]
sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
