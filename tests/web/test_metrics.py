"""The metrics: closed by default, right, and bounded whatever a client sends."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlencode

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.parts import parts_of
from support.servers import wait_until
from support.sites import REPOSITORY, environment
from warehouse14.adapters.memory.files import MemoryFiles
from warehouse14.bootstrap import assemble
from warehouse14.domain.errors import Misconfigured
from warehouse14.testing.builders import build_wheel
from web.asking import MEMORY, METERED, Answer, Index
from web.conftest import Opener

TOKEN = "a secret of some length"
HERE = {"metrics.addresses": "192.0.2.0/24 2001:db8::/32"}
BY_TOKEN = {"metrics": "token", "metrics.token": TOKEN}

Labels = Mapping[str, str]


def scrape(index: Index, origin: str = "192.0.2.7", **headers: str) -> Answer:
    return index.ask("GET", "/metrics", None, headers=headers, environ={"REMOTE_ADDR": origin})


def samples(index: Index) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return what is shown, by name and labels."""
    answer = scrape(index)
    assert answer.status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(index: Index, name: str, **labels: str) -> float:
    return samples(index).get((f"warehouse14_{name}", frozenset(labels.items())), 0)


def counted(index: Index, name: str) -> dict[str, float]:
    """Return the values of a counter with one label, by that."""
    return {
        next(iter(dict(labels).values())): found
        for (shown, labels), found in samples(index).items()
        if shown == f"warehouse14_{name}_total"
    }


def said(answer: Answer) -> tuple[object, ...]:
    status, reason, headers, body = answer.whole
    return status, reason, headers, body


@pytest.fixture
def metered(opener: Opener) -> Index:
    """An index that shows its metrics to all who ask in these tests."""
    return opener(**METERED)


@pytest.mark.parametrize("by", [None, "ada", "root"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_metrics_are_there_for_nobody_unless_the_settings_say_so(
    opener: Opener, method: str, by: str | None
) -> None:
    index = opener()
    index.account("root", administrator=True)
    answer = index.ask(method, "/metrics", by)
    assert answer.status == 404
    assert said(answer) == said(index.ask(method, "/health/nothing", by))
    if by is not None:
        assert index.browse(method, "/metrics", by).status == 404


def test_a_site_that_shows_no_metrics_imports_nothing_for_them() -> None:
    code = (
        "import sys; from web.asking import MEMORY, open_index; index = open_index(MEMORY); "
        "assert index.get('/simple/').status == 200; print('prometheus_client' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=environment(), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout == "False\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("Bearer", 401),
        ("Bearer \xff\u2603", 401),
        ("", 401),
    ],
)
def test_a_token_opens_the_metrics_and_nothing_like_it_does(opener: Opener, sent: str, status: int) -> None:
    answer = scrape(opener(**BY_TOKEN), Authorization=sent)
    assert answer.status == status
    assert ("warehouse14_requests" in answer.text) == (status == 200)
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert TOKEN not in answer.text


def test_whoever_is_somebody_here_reads_no_metrics_by_that(opener: Opener) -> None:
    index = opener(**BY_TOKEN)
    index.account("root", administrator=True)
    assert index.get("/metrics", by="root").status == 401
    assert index.browse("GET", "/metrics", "root").status == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("2001:db8::1", 200),
        ("192.0.3.7", 404),
        ("127.0.0.1", 404),
        ("localhost", 404),
        ("", 404),
    ],
)
def test_addresses_open_the_metrics_and_to_others_there_is_nothing(
    opener: Opener, origin: str, status: int
) -> None:
    assert scrape(opener(**HERE), origin).status == status
    assert scrape(opener(**HERE), origin, X_Forwarded_For="192.0.2.7").status == status


def test_token_and_addresses_are_both_asked_for_where_both_are_set(opener: Opener) -> None:
    index = opener(**HERE, **BY_TOKEN)
    bearer = f"Bearer {TOKEN}"
    assert scrape(index, Authorization=bearer).status == 200
    assert scrape(index).status == 401
    assert scrape(index, "192.0.3.7", Authorization=bearer).status == 404


def test_the_secret_may_lie_in_a_file_or_a_variable(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    for form in (
        {"metrics.token_file": str(tmp_path / "secret")},
        {"metrics.token_env": "METRICS_TOKEN"},
    ):
        assert scrape(opener(metrics="token", **form), Authorization=f"Bearer {TOKEN}").status == 200


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"metrics": "token"}, "warehouse14.metrics = token needs warehouse14.metrics.token_file"),
        ({"metrics": "open"}, "is not one of token"),
        ({"metrics.token": TOKEN}, "warehouse14.metrics is not token"),
        ({"metrics": "token", "metrics.token": "short"}, "has less than 16 characters"),
        ({"metrics": "token", "metrics.token_env": "W14_NOT_SET"}, "which is not set"),
        ({"metrics": "token", "metrics.token_file": "/no/such/file"}, "cannot be read"),
        ({"metrics.addresses": "10.0.0.1/8"}, "warehouse14.metrics.addresses: '10.0.0.1/8' is one address"),
        ({"metrics.addresses": "all"}, "is no address range"),
        ({"metrics.tokens": TOKEN}, "unknown setting: warehouse14.metrics.tokens"),
    ],
)
def test_settings_that_open_nothing_are_one_line(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        assemble({**MEMORY, **{f"warehouse14.{key}": each for key, each in settings.items()}}, {})
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_variables_open_the_metrics_too() -> None:
    variables = {"WAREHOUSE14_METRICS": "token", "WAREHOUSE14_METRICS_TOKEN": TOKEN}
    site = assemble(MEMORY, variables).site
    assert site.metrics is not None
    assert site.metrics.token == TOKEN
    assert TOKEN not in repr(site)


def test_the_page_of_the_settings_hides_the_secret(opener: Opener) -> None:
    index = opener(**BY_TOKEN, **HERE)
    index.account("root", administrator=True)
    page = index.browse("GET", "/admin/@@settings", "root").text
    assert "warehouse14.metrics.addresses" in page
    assert TOKEN not in page


def test_requests_are_counted_by_kind_method_and_class_of_status(metered: Index) -> None:
    metered.project("demo")
    for target in ("/simple/", "/simple/demo/", "/simple/nothing/", "/simple/?q=x"):
        metered.get(target)
    metered.ask("HEAD", "/simple/")
    metered.browse("GET", "/", "ada")
    for kind, method, status, number in (
        ("simple", "GET", "2xx", 3),
        ("simple", "GET", "4xx", 1),
        ("simple", "HEAD", "2xx", 1),
        ("home", "GET", "2xx", 1),
    ):
        assert value(metered, "requests_total", kind=kind, method=method, status=status) == number
    assert value(metered, "request_seconds_count", kind="simple", method="GET") == 4
    assert 0 < value(metered, "request_seconds_sum", kind="simple", method="GET") < 60


def test_whatever_a_client_sends_makes_few_series(metered: Index) -> None:
    metered.get("/simple/")
    metered.ask("FOO", "/nothing")
    before = samples(metered).keys()
    for number in range(50):
        name = f"n{number}"
        metered.ask(f"M{number}", f"/{name}", None)
        metered.get(f"/simple/{name}/", by=None)
        metered.get(f"/{name}/{name}", by=None)
        metered.get(f"/%ff{name}", by=None)
        metered.get(f"/simple/{name}/", by=None, Authorization=f"Bearer wh14_{name}")
        metered.ask("POST", f"/oauth/{name}", None)
    new = samples(metered).keys() - before
    assert len(new) < 80
    assert not any(
        re.search(r"\d\d|[nM]\d", label) for _, labels in new for name, label in labels if name != "le"
    )
    assert value(metered, "requests_total", kind="other", method="other", status="4xx") > 50


def test_uploads_are_counted_by_what_came_of_them(metered: Index) -> None:
    wheel = build_wheel("demo", "1.0")
    assert metered.upload(wheel, "demo").status == 200
    assert metered.upload(build_wheel("demo", "1.0", body=b"#"), "demo").status == 409
    assert metered.upload(wheel, "demo", filetype="nonsense").status == 400
    assert metered.upload(wheel, "demo", by="bob").status == 403
    assert metered.upload(wheel, "demo", by=None).status == 401
    assert counted(metered, "uploads") == {
        "accepted": 1,
        "conflict": 1,
        "rejected": 1,
        "forbidden": 1,
        "unauthenticated": 1,
    }


def test_an_upload_straight_to_the_store_is_counted_once_it_is_answered(metered: Index) -> None:
    wheel = build_wheel("demo", "1.0")
    fields = {
        "name": "demo",
        "version": "1.0",
        "filetype": "bdist_wheel",
        "filename": wheel.filename,
        "size": str(len(wheel.content)),
        "sha256": hashlib.sha256(wheel.content).hexdigest(),
    }

    def send(target: str, **given: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return metered.ask("POST", f"/api/uploads{target}", headers=headers, body=urlencode(given).encode())

    begun = send("", **fields)
    assert begun.status == 201
    upload = begun.headers["Location"].rpartition("/")[2]
    assert send(f"/{upload}/part", number="1", sha256="0" * 64).status == 200
    parts_of(metered.warehouse.store, upload).send(1, wheel.content)
    assert send(f"/{upload}/finish").status == 202
    wait_until(lambda: metered.get(f"/api/uploads/{upload}").status == 200)
    assert send("", **fields | {"filetype": "nonsense"}).status == 400
    assert metered.get(f"/api/uploads/{64 * '0'}").status == 404
    assert counted(metered, "uploads") == {"accepted": 1, "rejected": 1}


def test_downloads_are_counted_with_their_bytes_and_other_answers_are_none(metered: Index) -> None:
    metered.project("demo")
    wheel = metered.wheel("demo")
    path = f"/packages/demo/{wheel.filename}"
    size = len(metered.get(path).body)
    etag = metered.get(path, Range="bytes=0-9").headers["ETag"]
    metered.browse("GET", f"/projects/demo/1.0/{wheel.filename}")
    metered.get(path, If_None_Match=etag)
    metered.ask("HEAD", path)
    metered.get(f"{path}.metadata")
    metered.get(path, by="eve")
    assert counted(metered, "downloads") == {"whole": 2, "part": 1}
    assert value(metered, "download_bytes_total") == 2 * size + 10
    assert value(metered, "response_bytes_total", kind="projects") == size


def test_sign_ins_and_refused_tokens_are_counted(metered: Index) -> None:
    metered.password("ada")
    for password in ("wrong horse", "correct horse"):
        metered.browse("POST", "/login", "bob", {"name": "ada", "password": password})
    for token in ("wh14_nonsense", "wh14_other"):
        assert metered.get("/simple/", by=None, Authorization=f"Bearer {token}").status == 401
    metered.get("/simple/", by=None)
    metered.get("/simple/")
    for outcome in ("accepted", "refused"):
        assert value(metered, "sign_ins_total", way="password", outcome=outcome) == 1
    assert counted(metered, "refused_credentials") == {"unauthenticated": 2}


def test_what_an_adapter_fails_is_counted_and_its_store_is_not_ready(metered: Index) -> None:
    metered.project("demo")
    wheel = metered.wheel("demo")
    assert value(metered, "store_ready", store="files") == 1
    store = metered.warehouse.store
    assert isinstance(store, MemoryFiles)
    store.fail_with(OSError("no disk"))
    assert metered.get(f"/packages/demo/{wheel.filename}").status == 503
    assert counted(metered, "adapter_failures") == {"memory": 1}


def test_every_adapter_that_a_server_may_have_is_documented_as_one_that_is_counted() -> None:
    parts = [entry_points(group=f"warehouse14.{port}") for port in ("metadata", "files", "sign_in")]
    modules = {found.module.removeprefix("warehouse14.adapters.") for part in parts for found in part}
    text = (REPOSITORY / "docs/deploy/watching.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if "warehouse14_adapter_failures_total" in line]
    assert set(re.findall(r"`(\w+)`", row.partition("failed:")[2])) == {*modules, "other"}


def test_the_cache_and_the_version_are_shown(metered: Index) -> None:
    metered.project("demo")
    for _ in range(3):
        metered.get("/simple/demo/")
    cache = metered.warehouse.index.cache
    found = counted(metered, "cache_lookups")
    assert found == {"hit": cache.hits, "miss": cache.misses}
    assert min(found.values()) > 0
    assert value(metered, "cache_bytes") == cache.size > 0
    (labels,) = (dict(labels) for name, labels in samples(metered) if name == "warehouse14_build_info")
    assert labels == {"version": "0.1.0"}


def test_a_folder_for_several_processes_that_is_none_is_one_line(
    opener: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "nothing"))
    with pytest.raises(Misconfigured, match=r"PROMETHEUS_MULTIPROC_DIR = .* is not a folder"):
        opener(**METERED)
