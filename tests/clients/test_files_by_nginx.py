"""Behind the nginx of deploy/nginx.conf.example: it sends the files, two processes judge who gets them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from support.clients import Clients
from support.forms import BOUNDARY
from support.nginx import Front
from support.projects import quick_wheel
from support.servers import Server
from support.sites import APP, SERVER, Site
from support.visitors import fields_of
from support.wheels import StoredWheel
from warehouse14.testing.builders import build_wheel

pytestmark = pytest.mark.debian

INSIDE = "/_files/"
BUILT = build_wheel("by-nginx", "1.0", extra_members={"by_nginx/noise": os.urandom(300_000)})
#: An epoch and a local version: what is not a letter in the name of a file.
ODD = build_wheel("by-nginx", "1!2.0+odd.1")
PATH = f"/packages/by-nginx/{BUILT.filename}"
#: The headers of an answer that say who sent it, when, and to what request.
OF_THE_SERVER = {"x-request-id", "server", "date", "connection"}


class House(NamedTuple):
    """nginx, and the two processes behind it."""

    front: Front
    processes: list[Server]
    site: Site

    def ask(
        self, path: str, account: str | None = "ada", method: str = "GET", **headers: str
    ) -> requests.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if account is not None:
            given["Authorization"] = f"Bearer {self.site.tokens[account]}"
        return requests.request(method, self.front.url + path, headers=given, timeout=30)

    def upload(self, built: object, **fields: str) -> requests.Response:
        return requests.post(
            f"{self.front.url}/legacy/",
            data=fields_of(built) | fields,
            files={"content": (built.filename, built.content, "application/octet-stream")},
            auth=("__token__", self.site.tokens["ada"]),
            timeout=60,
        )

    def blob(self, filename: str) -> Path:
        (found,) = (self.site.folder / "var/files/blobs").rglob(filename)
        return found


def blobs(site: Site) -> Path:
    return site.folder / "var/files/blobs"


@pytest.fixture(scope="module")
def house(shared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    shared_site.configure(APP, warehouse14__files__internal_redirect=INSIDE)
    shared_site.configure(
        SERVER,
        trusted_proxy="127.0.0.1",
        trusted_proxy_headers="x-forwarded-for x-forwarded-proto",
        clear_untrusted_proxy_headers="true",
    )
    with ExitStack() as stack:
        processes = [stack.enter_context(Server(shared_site)) for _ in range(2)]
        front = Front(tmp_path_factory.mktemp("front"), processes, blobs(shared_site))
        house = House(stack.enter_context(front), processes, shared_site)
        assert house.upload(BUILT).status_code == 200
        assert house.upload(ODD, version="1!2.0+odd.1").status_code == 200
        yield house


@pytest.fixture(scope="module")
def direct(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the same site that sends the files itself."""
    site = Site(house.site.folder)
    site.ini = tmp_path_factory.mktemp("direct") / "direct.ini"
    text = house.site.ini.read_text(encoding="utf-8").replace("%(here)s", str(house.site.folder))
    kept = [line for line in text.splitlines() if "internal_redirect" not in line]
    site.ini.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with Server(site) as server:
        yield server


def of_the_index(answer: requests.Response) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return {name: value for name, value in headers.items() if name not in OF_THE_SERVER}


# -- the bytes --------------------------------------------------------------------------


def test_nginx_sends_the_file_and_not_the_index(house: House) -> None:
    """The index, asked without nginx, has said only where the bytes are."""
    told = requests.get(
        house.processes[0].url + PATH,
        headers={"Authorization": f"Bearer {house.site.tokens['ada']}"},
        timeout=30,
    )
    assert told.content == b""
    assert told.headers["X-Accel-Redirect"].startswith(INSIDE)
    answer = house.ask(PATH)
    assert answer.content == BUILT.content
    assert "X-Accel-Redirect" not in answer.headers


REQUESTS: dict[str, dict[str, str]] = {
    "the whole": {},
    "a part": {"Range": "bytes=10-19"},
    "the end": {"Range": "bytes=-5"},
    "from somewhere on": {"Range": "bytes=1000-"},
    "more than there is": {"Range": "bytes=5-99999999"},
    "beyond the end": {"Range": "bytes=99999999-"},
    "several parts": {"Range": "bytes=0-1,4-5"},
    "a range that is none": {"Range": "bytes=5-2"},
    "if it is of another file": {"Range": "bytes=10-19", "If-Range": '"other"'},
    "if it has another date": {"Range": "bytes=10-19", "If-Range": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "unless it is known, and it is not": {"If-None-Match": '"x"'},
    "if it is the same": {"If-Match": f'"{hashlib.sha256(BUILT.content).hexdigest()}"'},
    "if it is older than nginx's file": {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "if it is younger than tomorrow": {"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"},
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_answer_is_the_one_that_the_index_would_have_given(
    house: House, direct: Server, kind: str
) -> None:
    by_nginx = house.ask(PATH, **REQUESTS[kind])
    given = REQUESTS[kind] | {"Authorization": f"Bearer {house.site.tokens['ada']}"}
    by_index = requests.get(direct.url + PATH, headers=given, timeout=30)
    assert (by_nginx.status_code, by_nginx.content) == (by_index.status_code, by_index.content)
    expected = of_the_index(by_index)
    if by_nginx.status_code == 206:
        # Which nginx does not say again to somebody who knows.
        expected.pop("accept-ranges")
    assert of_the_index(by_nginx) == expected


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_if_range_takes_what_the_index_said_of_the_file(house: House, validator: str) -> None:
    known = house.ask(PATH, method="HEAD").headers[validator]
    part = house.ask(PATH, Range="bytes=10-19", If_Range=known)
    assert (part.status_code, part.content) == (206, BUILT.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(BUILT.content)}"


def test_head_and_a_file_that_is_known_are_answered_by_the_index(house: House) -> None:
    head = house.ask(PATH, method="HEAD")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(BUILT.content)))
    assert head.headers["ETag"] == house.ask(PATH).headers["ETag"]
    assert house.ask(PATH, If_None_Match=head.headers["ETag"]).status_code == 304


def test_a_name_with_odd_characters_is_sent(house: House, direct: Server) -> None:
    assert set("!+") <= set(ODD.filename)
    for path in (f"/packages/by-nginx/{ODD.filename}", f"/packages/by-nginx/{ODD.filename}.metadata"):
        answer = house.ask(path)
        assert answer.status_code == 200
        given = {"Authorization": f"Bearer {house.site.tokens['ada']}"}
        assert answer.content == requests.get(direct.url + path, headers=given, timeout=30).content
    escaped = ODD.filename.replace("+", "%2B").replace("!", "%21")
    assert house.ask(f"/packages/by-nginx/{escaped}").content == ODD.content


# -- who gets them ----------------------------------------------------------------------


@pytest.mark.parametrize(("account", "status"), [(None, 401), ("cleo", 404)])
def test_who_may_not_read_gets_what_the_index_says_and_no_bytes(
    house: House, account: str | None, status: int
) -> None:
    for path in (PATH, f"{PATH}.metadata"):
        answer = house.ask(path, account)
        assert answer.status_code == status
        assert b"PK" not in answer.content
        assert "X-Accel-Redirect" not in answer.headers


def test_nobody_gets_a_file_by_its_place(house: House) -> None:
    key = house.blob(BUILT.filename).relative_to(blobs(house.site))
    for path in (
        f"{INSIDE}{key}",
        f"{INSIDE}../blobs/{key}",
        f"//_files/{key}",
        f"/%5Ffiles/{key}",
        f"/x/..{INSIDE}{key}",
        f"{INSIDE}",
        f"{INSIDE}..%2f..%2fwarehouse14.sqlite",
        "/_files../warehouse14.sqlite",
    ):
        for account in ("ada", None):
            answer = as_written(house, path, account)
            assert answer.status_code in ({400, 404, 303} if account is None else {400, 404}), path
            assert b"PK" not in answer.content
            assert b"SQLite" not in answer.content


def as_written(house: House, path: str, account: str | None) -> requests.Response:
    """Ask for a path with the dots that are in it, and say what only the index may say."""
    token = house.site.tokens.get(account or "")
    given = {"X-Accel-Redirect": INSIDE} | ({"Authorization": f"Bearer {token}"} if token else {})
    prepared = requests.Request("GET", house.front.url, headers=given).prepare()
    prepared.url = house.front.url + path
    with requests.Session() as session:
        session.trust_env = False
        return session.send(prepared, timeout=30, allow_redirects=False)


def test_bytes_that_are_gone_are_503_and_name_no_folder(house: House) -> None:
    gone = build_wheel("gone-by-nginx", "1.0")
    assert house.upload(gone).status_code == 200
    blob = house.blob(gone.filename)
    blob.unlink()
    lost = house.ask(f"/packages/gone-by-nginx/{gone.filename}")
    assert lost.status_code == 503
    assert lost.headers["Retry-After"]
    assert str(house.site.folder) not in lost.text + str(lost.headers)


def test_bytes_that_nginx_may_not_have_are_503_and_are_not_kept_by_anybody(house: House) -> None:
    """A link is no blob; the same answer stands for whatever else keeps nginx from the file."""
    path = f"/packages/by-nginx/{ODD.filename}"
    blob = house.blob(ODD.filename)
    folder = blob.parent
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    try:
        answer = house.ask(path)
    finally:
        folder.unlink()
        elsewhere.rename(folder)
    assert answer.status_code == 503
    assert "cannot be read" in answer.text
    assert answer.headers["Retry-After"] == "60"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "ETag" not in answer.headers
    assert str(house.site.folder) not in answer.text + str(answer.headers)
    assert house.ask(path).content == ODD.content


def test_what_the_client_says_of_proxies_is_not_believed(house: House) -> None:
    answer = requests.get(
        f"{house.front.url}/simple",
        headers={
            "Authorization": f"Bearer {house.site.tokens['ada']}",
            "X-Forwarded-Host": "evil.example",
            "Forwarded": "host=evil.example;proto=https",
            "X-Forwarded-For": "192.0.2.66",
            "X-Forwarded-Proto": "https",
        },
        allow_redirects=False,
        timeout=30,
    )
    assert answer.headers["Location"] == f"{house.front.url}/simple/"
    assert "Strict-Transport-Security" not in answer.headers


# -- the clients ------------------------------------------------------------------------


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_what_twine_and_uv_published_is_installed(
    house: House, clients: Clients, tmp_path: Path, installer: str
) -> None:
    token = house.site.tokens["ada"]
    first, second = (quick_wheel(tmp_path, f"{tool}-for-{installer}") for tool in ("twine", "uv"))
    clients.twine(house.front.url, token, first).well()
    clients.uv_publish(house.front.url, token, second).well()
    environment = clients.empty_environment("empty")
    names = [f"twine-for-{installer}", f"uv-for-{installer}"]
    environment.install(installer, house.front.as_account(token), *names).well()
    assert environment.installed() == dict.fromkeys(names, "1.0")


def test_a_file_that_is_too_large_is_413_in_the_words_of_the_index(
    prepared_site: Site, clients: Clients, tmp_path: Path
) -> None:
    site = prepared_site.copy_to(tmp_path / "small")
    site.configure(APP, warehouse14__max_file_bytes=1_000_000)
    wheel = build_wheel("too-large", "1.0", body=os.urandom(20_000_000))
    path = tmp_path / wheel.filename
    path.write_bytes(wheel.content)
    with Server(site) as server, Front(tmp_path / "front", [server], blobs(site)) as front:
        said = clients.twine(front.url, site.tokens["ada"], path).badly()
    assert "413" in said
    assert "larger than 1000000 bytes" in said


def test_a_large_file_passes_through_both_ways(house: House, tmp_path: Path) -> None:
    wheel = StoredWheel("large-by-nginx", 30_000_000)
    uploaded = requests.post(
        f"{house.front.url}/legacy/",
        data=wheel,
        headers={"Content-Type": "multipart/form-data; boundary=" + BOUNDARY},
        auth=("__token__", house.site.tokens["ada"]),
        timeout=60,
    )
    assert uploaded.status_code == 200
    answer = house.ask(f"/packages/{wheel.project}/{wheel.filename}")
    assert answer.content == b"".join(wheel.content())


def test_a_process_that_ends_takes_no_reader_with_it(house: House) -> None:
    with (
        Server(house.site) as third,
        Front(house.site.folder / "f", [third, *house.processes], blobs(house.site)) as front,
    ):
        third.kill()
        for _ in range(6):
            answer = requests.get(front.url + PATH, auth=("__token__", house.site.tokens["ada"]), timeout=30)
            assert answer.content == BUILT.content
