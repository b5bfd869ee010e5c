"""Log records as the site's formatters write them, to where the platform takes them from."""

import logging

from warehouse14.logs import JsonFormatter, TextFormatter

_JSON = "JSON"
_OURS = "warehouse14"


class _Line(logging.Formatter):
    """What another formatter writes, with the end of a line: the handlers of AWS's runtime add none."""

    def __init__(self, real: logging.Formatter) -> None:
        super().__init__()
        self._real = real

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self._real.format(record) + "\n"


def log_to_the_platform(wanted: str, level: str) -> None:
    """Log through the handlers that AWS's runtime has set up, or to the terminal where there are none.

    Args:
        wanted: ``JSON`` for objects, as the function's logging configuration says; else lines of text.
        level: the name of a level; INFO if it is none.
    """
    root, least = logging.getLogger(), logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    formatter = JsonFormatter() if wanted.upper() == _JSON else TextFormatter()
    logging.getLogger(_OURS).setLevel(least)
    # The libraries of AWS tell at INFO where they have found their credentials.
    root.setLevel(max(least, logging.WARNING))
    if not root.handlers:
        logging.basicConfig()
    for handler in root.handlers:
        is_stream = isinstance(handler, logging.StreamHandler)
        handler.setFormatter(formatter if is_stream else _Line(formatter))
