"""The command line: ``warehouse14 --ini FILE[#SECTION] COMMAND ...``.

Exit status 0: done. 1: refused, failed, or damage found. 2: wrong usage or configuration.
"""

import os
import sys
from collections.abc import Sequence

from warehouse14.cli.arguments import UsageError
from warehouse14.cli.output import complain
from warehouse14.cli.parser import build_parser
from warehouse14.domain.errors import Misconfigured, WarehouseError

_REFUSED = 1
_USAGE = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Wrong usage and ``--help`` raise ``SystemExit``."""
    arguments = build_parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except (UsageError, Misconfigured) as error:
        complain(str(error))
        return _USAGE
    except WarehouseError as error:
        complain(str(error))
        return _REFUSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except OSError as error:
        return _output_failed(error)
    return status


def _output_failed(error: OSError) -> int:
    """Return the status after an error of the system. A reader who left early needs no line about it."""
    if not isinstance(error, BrokenPipeError):
        complain(": ".join(filter(None, (error.filename, error.strerror or str(error)))))
    # What is left in the buffer has nowhere to go; the interpreter would try once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return _REFUSED
