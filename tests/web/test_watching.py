"""Each request has a name, and a line in the access log where one is wanted."""

import json
import logging
import re
from collections.abc import Iterator
from io import StringIO

import pytest

from warehouse14.adapters.memory.files import MemoryFiles
from warehouse14.logs import JsonFormatter
from warehouse14.web.requestids import THROUGH_PROXY
from web.asking import Index
from web.conftest import Opener

NAMED = re.compile(r"[0-9a-f]{12}")


class Log:
    """What is logged, as JSON."""

    def __init__(self) -> None:
        self._written = StringIO()
        self.handler = logging.StreamHandler(self._written)
        self.handler.setFormatter(JsonFormatter())

    def lines(self, logger: str = "warehouse14.access") -> list[dict[str, object]]:
        found = [json.loads(line) for line in self._written.getvalue().splitlines()]
        return [line for line in found if line["logger"] == logger]


@pytest.fixture
def log() -> Iterator[Log]:
    """The log of a site whose root logs at DEBUG."""
    found, root = Log(), logging.getLogger()
    level = root.level
    root.addHandler(found.handler)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(found.handler)
    root.setLevel(level)


@pytest.fixture
def access(log: Log) -> Iterator[Log]:
    """The same, of a site that wants a line for each request."""
    logger = logging.getLogger("warehouse14.access")
    logger.setLevel(logging.INFO)
    yield log
    logger.setLevel(logging.NOTSET)


def name_of(index: Index, given: str, *, through_proxy: bool) -> str:
    answer = index.ask(
        "GET", "/health", None, headers={"X-Request-ID": given}, environ={THROUGH_PROXY: through_proxy}
    )
    return answer.headers["X-Request-ID"]


@pytest.mark.parametrize("target", ["/health", "/simple/", "/nothing", "/login", "/projects/pub/", "/%ff"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "FOO"])
def test_every_answer_has_a_name_of_its_own(stocked: Index, method: str, target: str) -> None:
    names = {stocked.ask(method, target).headers["X-Request-ID"] for _ in range(3)}
    assert len(names) == 3
    assert all(NAMED.fullmatch(name) for name in names)


@pytest.mark.parametrize("given", ["a", "0-9_.Az", "x" * 64])
def test_the_name_that_the_trusted_proxy_gives_is_kept(stocked: Index, given: str) -> None:
    assert name_of(stocked, given, through_proxy=True) == given
    assert NAMED.fullmatch(name_of(stocked, given, through_proxy=False))


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\n", "a;b", "<x>", "ä", "٣"])
def test_a_name_that_is_not_safe_is_replaced(stocked: Index, given: str) -> None:
    assert NAMED.fullmatch(name_of(stocked, given, through_proxy=True))


def test_the_page_of_a_failure_names_the_request_and_so_does_the_log(opener: Opener, log: Log) -> None:
    index = opener()
    index.project("demo")
    wheel = index.wheel("demo")
    store = index.warehouse.store
    assert isinstance(store, MemoryFiles)
    store.fail_with(OSError("no disk"))
    answer = index.browse("GET", f"/projects/demo/1.0/{wheel.filename}")
    name = answer.headers["X-Request-ID"]
    assert answer.status == 503
    assert f"request <code>{name}</code>" in answer.text
    lines = log.lines("warehouse14.web.errors")
    assert {line["request"] for line in lines} == {name}
    assert any("no disk" in str(line.get("exception")) for line in lines)


def test_there_is_no_access_log_unless_its_logger_has_a_level(stocked: Index, log: Log) -> None:
    stocked.get("/simple/")
    assert log.lines() == []


def test_a_line_says_who_asked_for_what_and_how_it_went(stocked: Index, access: Log) -> None:
    token = stocked.token("ada")
    answer = stocked.get("/simple/demo/?q=secret", User_Agent='pip/25 {"a": 1}')
    (line,) = access.lines()
    assert line["request"] == answer.headers["X-Request-ID"]
    shown = {key: line[key] for key in ("method", "path", "status", "account", "token", "address", "client")}
    assert shown == {
        "method": "GET",
        "path": "/simple/demo/",
        "status": 200,
        "account": "ada",
        "token": token.removeprefix("wh14_")[:10],
        "address": "192.0.2.7",
        "client": 'pip/25 {"a": 1}',
    }
    assert line["bytes"] == len(answer.body) > 0
    assert isinstance(line["milliseconds"], float)


def test_a_line_names_who_is_signed_in_and_nobody_who_is_not(stocked: Index, access: Log) -> None:
    stocked.browse("GET", "/projects/", "bob")
    stocked.browse("GET", "/login", None)
    stocked.get("/simple/", by=None, Authorization="Bearer wh14_nonsense")
    assert [(line["account"], line["token"]) for line in access.lines()] == [
        ("bob", None),
        (None, None),
        (None, None),
    ]


def test_a_line_is_bounded_whatever_is_sent(stocked: Index, access: Log) -> None:
    stocked.ask("M" * 5000, "/" + "x" * 5000, None, headers={"User-Agent": "y" * 5000})
    (line,) = access.lines()
    assert len(json.dumps(line)) < 1200


def test_no_line_has_the_id_of_an_upload(
    stocked: Index, access: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(stocked.warehouse.direct, "status", fail)
    path, shown = f"/{{}}/{'0123456789abcdef' * 4}", "/{}/0123456789..."
    stocked.get(path.format("api/uploads"))
    (line,) = access.lines()
    assert (line["path"], line["status"]) == (shown.format("api/uploads"), 500)
    stocked.browse("GET", path.format("projects"), "ada")
    failed, missing = (str(line["message"]) for line in access.lines("warehouse14.web.errors"))
    assert f"GET '{shown.format('api/uploads')}' failed" in failed
    assert f"404 to GET '{shown.format('projects')}'" in missing


def test_a_head_sends_no_bytes(stocked: Index, access: Log) -> None:
    stocked.ask("HEAD", "/simple/")
    assert [line["bytes"] for line in access.lines()] == [0]
