"""Requests to a provider, bounded: it may be down, slow, or send without end."""

import time
from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

from requests import PreparedRequest, RequestException, Response, Session
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from warehouse14.domain.errors import Unavailable
from warehouse14.domain.sentences import printable

#: How long a connection may take, how long nothing may come, and how long an answer may take, in seconds.
_CONNECT, _SILENCE, _WHOLE = 4.0, 4.0, 8.0
#: The most that an answer may have, in bytes.
_MOST = 1_000_000
_PIECE = 65_536
_DETAIL_LENGTH = 1000

#: What a request ends with, or a look at its answer: it may be no JSON, nested too deeply, and have
#: values of any kind where others belong.
UNREADABLE = (RequestException, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)


class Bounded(HTTPAdapter):
    """Reads each answer whole, within a time and a size."""

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send and return the answer. Raises ``RequestException`` for one that is too long or too late."""
        started = time.monotonic()
        options |= {"stream": True, "timeout": (_CONNECT, _SILENCE)}
        response = super().send(request, *args, **options)
        try:
            body = _read(response, started)
        except (HTTPError, OSError) as error:
            raise RequestException(str(error), request=request) from error
        finally:
            response.close()
        response.raw = BytesIO(body)
        return response


def _read(response: Response, started: float) -> bytes:
    body = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > _MOST:
            raise RequestException(f"the answer has more than {_MOST} bytes")
        if time.monotonic() - started > _WHOLE:
            raise RequestException(f"the answer takes more than {_WHOLE:.0f} seconds")
    return bytes(body)


def bound(session: Session) -> None:
    """Bound all requests of a session."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, Bounded())


def fetch_json(title: str, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the JSON object at an address of the provider ``title``. Raises ``Unavailable``."""
    with Session() as session:
        bound(session)
        try:
            response = session.get(
                url, headers={"Accept": "application/json", **(headers or {})}, allow_redirects=False
            )
            if response.status_code != 200:
                raise unavailable(title, f"{url} answers {response.status_code}")
            found = response.json()
        except UNREADABLE as error:
            raise unavailable(title, f"{url}: {error}") from None
    if not isinstance(found, dict):
        raise unavailable(title, f"{url} is no JSON object")
    return cast("dict[str, Any]", found)


def unavailable(title: str, detail: str) -> Unavailable:
    """Return the error for a provider that does not answer as it must. It is raised without a cause:
    the detail is one line, and says all."""
    return Unavailable(
        f"{title} does not answer as it should, so nobody can sign in through it now. "
        "Try again in a minute; who is signed in stays so.",
        retry_after=60,
        detail=printable(detail, most=_DETAIL_LENGTH),
    )
