"""How many connections a process has file descriptors for."""

import math
import resource

_MOST_CONNECTIONS = 1000
#: What one connection may need: its socket, the body that comes, and the file that goes.
_FOR_CONNECTION = 3
#: What the process needs for itself: its database, its threads' files, its log.
_FOR_PROCESS = 100


def fitting_connections() -> int:
    """Return how many connections fit, at most 1,000, and raise the soft limit to what they need.

    With more than fit, requests would fail in the middle for want of a
    descriptor; so one connection more waits until another one ends.
    """
    soft, hard = (_number(limit) for limit in resource.getrlimit(resource.RLIMIT_NOFILE))
    wanted = min(_MOST_CONNECTIONS * _FOR_CONNECTION + _FOR_PROCESS, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(wanted), _limit(hard)))
        soft = wanted
    return int(max(1, min(_MOST_CONNECTIONS, (soft - _FOR_PROCESS) // _FOR_CONNECTION)))


def _number(limit: int) -> float:
    return math.inf if limit == resource.RLIM_INFINITY else limit


def _limit(number: float) -> int:
    return resource.RLIM_INFINITY if math.isinf(number) else int(number)
