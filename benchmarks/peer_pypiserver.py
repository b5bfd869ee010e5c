"""Runs pypiserver on waitress with as many threads as the others have.

``python peer_pypiserver.py ROOT PORT THREADS BACKEND``, in pypiserver's own
environment. Its command line offers the same server, but not its settings.
"""

import logging
import pathlib
import sys

import pypiserver
from waitress import serve


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # It would log every request, which nobody else does here.
    logging.getLogger("pypiserver").setLevel(logging.WARNING)
    root, port, threads, backend = sys.argv[1:]
    application = pypiserver.app(
        roots=[pathlib.Path(root)],
        authenticate=[],
        password_file=".",  # noqa: S106 - what its option -P takes for "none"
        disable_fallback=True,
        backend_arg=backend,
    )
    serve(application, listen=f"127.0.0.1:{port}", threads=int(threads), asyncore_use_poll=True, ident="")


if __name__ == "__main__":
    main()
