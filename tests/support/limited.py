"""Runs a command that can make no file longer than a limit: ``python -m support.limited BYTES COMMAND ...``.

Past the limit the system answers EFBIG, as a full disk answers ENOSPC.
"""

import os
import resource
import signal
import sys

if __name__ == "__main__":
    limit = int(sys.argv[1])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    os.execv(sys.argv[2], sys.argv[2:])
