"""``warehouse14.aws_lambda.gate``: checks a direct upload and publishes it, in an invocation of its own."""

import logging
from collections.abc import Mapping
from typing import Any

from warehouse14.aws_lambda import Handler
from warehouse14.aws_lambda.opening import one_line, open_site
from warehouse14.domain.errors import Unavailable
from warehouse14.domain.services.beginnings import is_id
from warehouse14.domain.warehouse import Warehouse
from warehouse14.logs import REQUEST

_log = logging.getLogger(__name__)


def make_handler() -> Handler:
    """Return the handler; a site that cannot be opened ends the process with one line."""
    with one_line():
        warehouse = open_site().assembly.warehouse
    return GateHandler(warehouse)


class GateHandler:
    """Lets uploads pass the gate, by events ``{"upload": ID}``."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def __call__(self, event: Mapping[str, Any], context: Any) -> None:
        """Check one upload; what comes of it is its answer, for whoever polls.

        Raises ``ValueError`` for an event that names no upload, and ``Unavailable`` where a store does not
        answer: then the platform tries again.
        """
        upload = event.get("upload") if isinstance(event, Mapping) else None
        if not isinstance(upload, str) or not is_id(upload):
            # What it says instead is not repeated: an id is a secret.
            raise ValueError('this event names no direct upload: it is not {"upload": ID}')
        named = REQUEST.set(context.aws_request_id)
        try:
            self._warehouse.direct.run(upload)
        except Unavailable as error:
            _log.error("a direct upload waits: %s", error.in_full)
            raise
        finally:
            REQUEST.reset(named)
