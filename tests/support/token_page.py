"""What people copy from the pages of a running server: the lines that stand ready to be pasted."""

from collections.abc import Mapping
from dataclasses import dataclass

import requests
from bs4 import BeautifulSoup

from support.servers import Server
from support.sites import PASSWORD

Lines = Mapping[str, str]


@dataclass(frozen=True)
class TokenPage:
    """The page that shows a new token: the token, and its lines by what they are for."""

    token: str
    lines: Lines


class Browser:
    """Somebody who is signed in at a server with a password."""

    def __init__(self, server: Server, account: str) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._send("/login", name=account, password=PASSWORD)

    def lines(self, path: str) -> Lines:
        """Return the lines to copy on a page."""
        answer = self._session.get(self._server.url + path, timeout=60)
        assert answer.status_code == 200, answer.text
        return _lines(answer.text)

    def new_token(self, scope: str = "upload") -> TokenPage:
        """Make a token in the form for it, and return the page that shows it."""
        lines = dict(_lines(self._send("/account/", "@@token", name="a test", scope=scope, days="7")))
        return TokenPage(lines.pop("the token"), lines)

    def _send(self, path: str, deed: str = "", **fields: str) -> str:
        """Fill in a form of the page at ``path`` and return the answer."""
        with_form = self._session.get(self._server.url + path, timeout=60)
        found = BeautifulSoup(with_form.text, "html.parser").select_one("input[name=csrf_token]")
        assert found is not None, f"{path} has no form:\n{with_form.text}"
        data = fields | {"csrf_token": str(found["value"])}
        answer = self._session.post(self._server.url + path + deed, data=data, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.text


def _lines(page: str) -> Lines:
    """Return what the copy buttons of a page copy, which is what stands beside them."""
    found = {}
    for part in BeautifulSoup(page, "html.parser").select(".copied"):
        code, button = part.select_one("code"), part.select_one("button")
        assert code is not None
        assert button is not None
        label = str(code["aria-label"])
        assert label not in found, f"two things to copy are called {label!r}"
        assert button["data-copy"] == code.get_text()
        found[label] = code.get_text()
    return found
