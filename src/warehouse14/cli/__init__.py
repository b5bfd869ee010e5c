"""The command line: ``warehouse14 --ini FILE[#SECTION] COMMAND ...``.

Exit status 0: done. 1: refused, failed, or damage found. 2: wrong usage or configuration.
"""

from collections.abc import Sequence

from warehouse14.cli.arguments import UsageError
from warehouse14.cli.output import OutputFailed, abandon, complain, finish, replace_closed_streams
from warehouse14.cli.parser import build_parser
from warehouse14.domain.errors import Misconfigured, Unavailable, WarehouseError

_REFUSED = 1
_USAGE = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Wrong usage and ``--help`` raise ``SystemExit``."""
    replace_closed_streams()
    status = _status(argv)
    try:
        finish()
    except OutputFailed as error:
        complain(str(error))
        return status or _REFUSED
    return status


def _status(argv: Sequence[str] | None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
        status: int = arguments.run(arguments)
    except (UsageError, Misconfigured) as error:
        complain(str(error))
        return _USAGE
    except Unavailable as error:
        complain(error.in_full)
        return _REFUSED
    except (WarehouseError, OutputFailed) as error:
        complain(str(error))
        return _REFUSED
    except KeyboardInterrupt:
        abandon()
        return _INTERRUPTED
    except OSError as error:
        complain(": ".join(filter(None, (error.filename, error.strerror or str(error)))))
        return _REFUSED
    return status
