"""The handlers of functions on AWS Lambda: ``warehouse14.aws_lambda.http`` answers requests,
``warehouse14.aws_lambda.gate`` checks what was sent straight to the store,
``warehouse14.aws_lambda.s3_events`` takes in what others put into the bucket, and
``warehouse14.aws_lambda.upkeep`` collects and checks by a schedule.

A handler is made when the runtime asks for it, in the phase that AWS counts as the start of the process,
and once in a process. To import this package makes none.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

#: What Lambda calls with an event and a context (AWS Lambda, "Define Lambda function handler in Python").
Handler = Callable[[Mapping[str, Any], Any], Any]

#: Where each handler is made. None of these modules has the name of a handler.
_MAKERS: Mapping[str, str] = {
    "gate": "warehouse14.aws_lambda.passing",
    "http": "warehouse14.aws_lambda.serving",
    "s3_events": "warehouse14.aws_lambda.receiving",
    "upkeep": "warehouse14.aws_lambda.keeping",
}


def __getattr__(name: str) -> Handler:
    """Return the handler ``name``, which is made at this first time (PEP 562)."""
    if name not in _MAKERS:
        raise AttributeError(f"{__name__} has no handler {name!r}; it has {', '.join(_MAKERS)}")
    with _loading():
        handler: Handler = import_module(_MAKERS[name]).make_handler()
    globals()[name] = handler
    return handler


@contextmanager
def _loading() -> Iterator[None]:
    """Look for no garbage while that is loaded which stays: it takes a seventh of the time of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
