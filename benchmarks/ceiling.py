"""The ceiling: waitress and an application that only returns bytes.

``python -m benchmarks.ceiling FOLDER PORT`` serves the answers in FOLDER, each a ``NAME.json``
(status and headers) and a ``NAME.body``, at ``/NAME``. Threads, event loop, logging
and the interpreter's settings are those of the index.
"""

import gc
import json
import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from waitress import serve

from benchmarks.settings import THREADS

Answer = tuple[str, list[tuple[str, str]], bytes]


def load(folder: Path) -> dict[str, Answer]:
    """Return the answers in ``folder`` by path."""
    answers = {}
    for file in folder.glob("*.json"):
        known = json.loads(file.read_text(encoding="utf-8"))
        headers = [(name, value) for name, value in known["headers"]]
        answers[f"/{file.stem}"] = (known["status"], headers, file.with_suffix(".body").read_bytes())
    return answers


def application(answers: dict[str, Answer]) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Return the WSGI application."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        status, headers, body = answers[environ["PATH_INFO"]]
        start_response(status, headers)
        return [body] if body else []

    return answer


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    folder, port = sys.argv[1:]
    answers = load(Path(folder))
    # What waitress is fastest with here: with Python's own 5 ms it is as fast, or several times slower.
    sys.setswitchinterval(0.0001)
    # As warehouse14.web.serving has it.
    gc.collect()
    gc.freeze()
    serve(
        application(answers),
        listen=f"127.0.0.1:{port}",
        threads=THREADS,
        asyncore_use_poll=True,
        ident="",
    )


if __name__ == "__main__":
    main()
