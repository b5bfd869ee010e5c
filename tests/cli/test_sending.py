"""``warehouse14 upload`` and what else answers at an address than an index."""

import io
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from support.strangers import Asked, Says, Stranger
from warehouse14.cli import main
from warehouse14.cli.sending.direct import send_in_parts
from warehouse14.cli.sending.local import read_file
from warehouse14.cli.sending.site import Refused, Site
from warehouse14.testing.builders import build_wheel

#: Status, type, what stands in ``Retry-After``, and the body.
Answer = tuple[int, str, str, str]
JSON, PAGE, TEXT = "application/json", "text/html; charset=utf-8", "text/plain"
NO_INDEX = "What answers is no index, or something before it."
NONE = (404, JSON, "", "{}")
PUBLISHED = {"state": "published", "changed": True, "filename": "x", "warnings": []}


class Answering(Stranger):
    """Gives each of its ``answers`` once, and the last one for ever."""

    def __init__(self) -> None:
        super().__init__(self._next)
        self.answers: list[Answer] = []

    @property
    def steps(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    def _next(self, _: Asked) -> Says:
        status, kind, wait, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        heads = {"Content-Type": kind, "Retry-After": wait, "Location": "/api/uploads/x"}
        return Says(status, body.encode("ascii"), heads)


@pytest.fixture
def stranger() -> Iterator[Answering]:
    with Answering() as server:
        yield server


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE14_TOKEN", "wh14_secret")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    built = build_wheel("demo", "1.0")
    path = tmp_path / built.filename
    path.write_bytes(built.content)
    return path


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([(200, PAGE, "", "<html>Log in first</html>")], id="a login for all"),
        pytest.param([NONE, (200, PAGE, "", "<html>Log in first</html>")], id="a login for the form"),
        pytest.param([(200, JSON, "", "[]")], id="a list"),
        pytest.param([(200, JSON, "", '"published"')], id="a text"),
        pytest.param([(200, JSON, "", "{}")], id="nothing"),
        pytest.param([(201, JSON, "", '{"state": "sending"}')], id="no parts"),
        pytest.param([(200, JSON, "", '{"state": "published"}')], id="no outcome"),
    ],
)
def test_what_is_no_index_has_published_nothing(
    stranger: Answering, wheel: Path, capsys: pytest.CaptureFixture[str], answers: Sequence[Answer]
) -> None:
    stranger.answers = [*answers]
    assert main(["upload", "--url", stranger.endpoint, str(wheel)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"warehouse14: {wheel.name}: {NO_INDEX}")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(("kind", "noted"), [(TEXT, True), (PAGE, False), (JSON, False)])
def test_only_a_text_that_answers_a_form_is_a_warning(
    stranger: Answering, wheel: Path, capsys: pytest.CaptureFixture[str], kind: str, noted: bool
) -> None:
    stranger.answers = [NONE, (200, kind, "", "" if kind == PAGE else '"mind this"\n')]
    assert main(["upload", "--url", stranger.endpoint, str(wheel)]) == 0
    said = capsys.readouterr()
    assert said.out == f"{wheel.name}: sent\n"
    assert said.err == (f'{wheel.name}: "mind this"\n' if noted else "")
    assert stranger.steps == ["POST /api/uploads", "POST /legacy/"]


@pytest.mark.parametrize(
    "wait", ["0", pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", marks=pytest.mark.thorough)]
)
def test_a_poll_waits_also_where_a_time_is_said(
    stranger: Answering, wheel: Path, capsys: pytest.CaptureFixture[str], wait: str
) -> None:
    stranger.answers = [(202, JSON, wait, '{"state": "checking"}'), (200, JSON, "", json.dumps(PUBLISHED))]
    assert main(["upload", "--url", stranger.endpoint, str(wheel)]) == 0
    assert capsys.readouterr().out == f"{wheel.name}: published\n"
    assert stranger.steps == ["POST /api/uploads", "GET /api/uploads/x"]


def test_an_address_where_nobody_is_is_said_at_once(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = time.monotonic()
    assert main(["upload", "--url", "http://127.0.0.1:1", str(wheel)]) == 1
    assert time.monotonic() - before < 20
    assert "http://127.0.0.1:1 does not answer" in capsys.readouterr().err


def test_a_file_that_is_cut_off_while_it_is_sent_is_said(stranger: Answering, wheel: Path) -> None:
    size = wheel.stat().st_size
    stranger.answers = [
        (201, JSON, "", json.dumps({"state": "sending", "part_bytes": size, "sent": []})),
        (200, JSON, "", json.dumps({"address": stranger.endpoint, "headers": {}})),
    ]
    file = read_file(str(wheel), bool)
    os.truncate(wheel, size - 1)
    with pytest.raises(Refused, match="It was changed while it was sent"):
        send_in_parts(Site(stranger.endpoint, "wh14_secret"), file, bool)
    assert not [asked for asked in stranger.asked if asked.method == "PUT"]


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


def test_the_name_of_a_file_says_nothing_to_a_terminal(
    stranger: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "\x1b]0;title\x07-1.0-py3-none-any.whl"
    path.write_bytes(b"something")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["upload", "--url", stranger.endpoint, str(path)]) == 1
    assert "reading \\x1b]0;title" in terminal.getvalue()
    assert "\x1b]" not in terminal.getvalue()
    assert stranger.steps == []


def test_a_token_that_can_be_none_is_not_sent(
    stranger: Answering, wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE14_TOKEN", "wh14_secret…")
    assert main(["upload", "--url", stranger.endpoint, str(wheel)]) == 2
    said = capsys.readouterr().err
    assert said == "warehouse14: WAREHOUSE14_TOKEN is no token: it has characters that none has\n"
    assert stranger.steps == []


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://a..b", "https://a:99999", f"https://{'a' * 64}.example.com"]
)
def test_an_address_that_can_be_none_is_one_line(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("WAREHOUSE14_URL", url)
    assert main(["upload", str(wheel)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"warehouse14: WAREHOUSE14_URL: '{url}' is not the address of a site")


def test_a_password_in_an_address_that_is_none_is_not_said(
    wheel: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE14_URL", "https://me:secret@[::1")
    assert main(["upload", str(wheel)]) == 2
    assert "secret" not in capsys.readouterr().err
