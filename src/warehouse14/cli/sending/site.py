"""Speaking to an index: what it is asked, and what its answers mean."""

import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from warehouse14.domain.errors import WarehouseError

#: How long a connection may take, and how long the other side may be silent, in seconds.
TIMES = (15, 120)
#: How long an index may not answer until it is given up, in seconds.
_PATIENCE = 120.0
_PAUSE = 2.0
_MOST_PAUSE = 60.0
#: What a server or a proxy says that may answer soon.
_BUSY = frozenset({429, 502, 503, 504})
_PAGE = "text/html"
_NO_INDEX = "What answers is no index, or something before it. Look at the address, and at what is there."


class Refused(WarehouseError):
    """The index, or the store, does not take the file. ``status`` is its answer's."""

    code = "refused"

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NoCredentials(AuthBase):
    """Sends none, also not those of a ``.netrc``: what is signed is the address."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request as it is."""
        return request


class Site:
    """An index at an address, which has no slash at its end, with a token for it."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._auth = HTTPBasicAuth("__token__", token)
        self._was_there = False

    def post(self, path: str, fields: Mapping[str, str] | None = None) -> requests.Response:
        """Return the answer to fields of the API. Raises ``Refused``; an index that is busy, or that has
        answered before, is asked again for a while, as all that is asked here may be asked twice."""
        return self._asked("POST", path, dict(fields or {}))

    def get(self, path: str) -> requests.Response:
        """Return what is at an address. Raises as :meth:`post` does."""
        return self._asked("GET", path, None)

    def send(self, body: Any, content_type: str) -> requests.Response:
        """Return the answer to the form of an upload. Raises ``Refused``."""
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        try:
            answer = _checked(self._request("POST", "/legacy/", body, headers))
        except requests.RequestException as error:
            raise Refused(_unreachable(self.url, error)) from error
        if answer.text.strip() and type_of(answer) == _PAGE:
            # Indexes answer with a word at most. This may be the login of a proxy.
            raise Refused(_NO_INDEX)
        return answer

    def _asked(self, method: str, path: str, fields: Mapping[str, str] | None) -> requests.Response:
        deadline = time.monotonic() + _PATIENCE
        while True:
            pause, trouble = _PAUSE, ""
            try:
                answer = self._request(method, path, fields, {})
                self._was_there = True
                if answer.status_code not in _BUSY:
                    return _checked(answer)
                pause, trouble = pause_of(answer), said(answer)
            except requests.RequestException as error:
                trouble = _unreachable(self.url, error)
                if not self._was_there:
                    # A wrong address or certificate does not mend itself.
                    raise Refused(trouble) from error
            if time.monotonic() + pause > deadline:
                raise Refused(trouble)
            time.sleep(pause)

    def _request(self, method: str, path: str, data: Any, headers: Mapping[str, str]) -> requests.Response:
        return requests.request(
            method,
            self.url + path,
            data=data,
            headers=dict(headers),
            auth=self._auth,
            timeout=TIMES,
            # The token is for this address alone.
            allow_redirects=False,
        )


def told(answer: requests.Response, **kinds: type) -> Mapping[str, Any]:
    """Return the fields that an index answers. Raises ``Refused`` unless those of ``kinds`` are among them:
    something else has answered, such as a proxy that wants a login."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict) or any(not isinstance(found.get(name), kinds[name]) for name in kinds):
        raise Refused(_NO_INDEX)
    return found


def said(answer: requests.Response) -> str:
    """Return the sentence in an answer, or its status if there is none."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    sentence = (found.get("error") or found.get("message")) if isinstance(found, dict) else None
    return str(sentence or f"{answer.status_code} {answer.reason}")


def _checked(answer: requests.Response) -> requests.Response:
    if 300 <= answer.status_code < 400:
        raise Refused(
            f"The site is at another address: {answer.headers.get('Location', 'it does not say where')}"
        )
    if answer.status_code >= 400:
        raise Refused(said(answer), answer.status_code)
    return answer


def type_of(answer: requests.Response) -> str:
    """Return the type of what is in an answer, without what is said of that."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def pause_of(answer: requests.Response) -> float:
    """Return when to ask again, in seconds."""
    wanted = answer.headers.get("Retry-After", "")
    return min(float(wanted), _MOST_PAUSE) if wanted.isdecimal() else _PAUSE


def _unreachable(url: str, error: requests.RequestException) -> str:
    return f"{url} does not answer: {error}"
