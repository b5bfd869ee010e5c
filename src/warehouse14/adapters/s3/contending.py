"""Storing an object while another stores the same one."""

import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from warehouse14.adapters.s3.client import NoStore, code_of

#: What a store says while another stores the same object.
_BUSY = frozenset({"409", "ConditionalRequestConflict", "OperationAborted"})
#: How often it may say so, and for how many seconds it is left alone after the first time; after each further
#: one for as many more.
_MOST_BUSY = 4
_PAUSE = 0.02


def store_waiting(store: Callable[[], object]) -> None:
    """Store an object by ``store``, again while another stores the same one. Raises what that raises.

    Of two at once, Swift tells one that it took its object, but not as which: what came a moment later is
    there. An answer without that comes also from what is no store; then this takes some tenths of a second.
    """
    for number in range(1, _MOST_BUSY + 1):
        try:
            store()
        except NoStore:
            pass
        except ClientError as error:
            if code_of(error) not in _BUSY:
                raise
        else:
            return
        time.sleep(_PAUSE * number)
    store()
