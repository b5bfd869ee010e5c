"""What other servers than waitress are given (``warehouse14.web.wsgi``)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from warehouse14.web import wsgi

PROXY = "192.0.2.1"


class Streamed:
    """An answer that says whether anybody has read it."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        self.read += 1
        yield b"bytes"


def asked(answer: Iterable[bytes], **environ: str) -> tuple[Iterable[bytes], list[str]]:
    """Ask an application that answers ``answer``, behind a proxy; return what comes and what was said."""
    said: list[str] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return answer

    given = Adjustments(trusted_proxy=PROXY, trusted_proxy_headers="forwarded")
    request = {"PATH_INFO": "/", "REMOTE_ADDR": PROXY, "wsgi.url_scheme": "http", **environ}
    return wsgi._behind(app, given)(request, lambda status, *_: said.append(status)), said


def test_an_answer_of_the_application_is_handed_on_unread_as_it_is() -> None:
    answer = Streamed()
    came, said = asked(answer)
    assert came is answer
    assert (answer.read, said) == (0, ["200 OK"])


@pytest.mark.parametrize("header", ["for=a;for", "for=192.0.2.9;proto"])
def test_a_refusal_of_what_a_proxy_said_has_its_status_before_anybody_reads_it(header: str) -> None:
    answer = Streamed()
    came, said = asked(answer, HTTP_FORWARDED=header)
    assert said == ["400 Bad Request"]
    assert (came is answer, answer.read) == (False, 0)
