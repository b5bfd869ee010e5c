"""A disk that is full, and files that can grow no more: 503, nothing listed, and the next upload works."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from support.servers import Server, wait_until
from support.sites import SERVER, Site
from support.visitors import Visitor
from warehouse14.testing.builders import BuiltFile, build_wheel

LARGE = os.urandom(6_000_000)


@contextmanager
def no_file_beyond(server: Server, limit: int) -> Iterator[None]:
    """Let the system answer EFBIG to a server that writes past ``limit`` bytes (Linux)."""
    endless = resource.RLIM_INFINITY
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, endless))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (endless, endless))


def assert_unavailable(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0


def assert_nothing_listed(server: Server, project: str) -> None:
    ada = Visitor(server, server.site.tokens["ada"])
    assert ada.files(project) == []
    assert project not in ada.projects()
    wait_until(lambda: server.site.waiting() == [], what="the end of what was sent")


def assert_published(server: Server, wheel: BuiltFile) -> None:
    ada = Visitor(server, server.site.tokens["ada"])
    answer = ada.upload(wheel)
    assert answer.status_code == 200, answer.text
    project = wheel.filename.partition("-")[0]
    assert ada.files(project) == [wheel.filename]
    assert ada.get(f"/packages/{project}/{wheel.filename}").content == wheel.content
    assert server.site.damage() == []


def test_a_body_that_finds_no_room_is_503_and_the_next_upload_works(
    server: Server, shared_site: Site
) -> None:
    wheel = build_wheel("bodies", "1.0", body=LARGE)
    with no_file_beyond(server, 4_000_000):
        assert_unavailable(Visitor(server, shared_site.tokens["ada"]).upload(wheel))
        assert_nothing_listed(server, "bodies")
        assert_published(server, build_wheel("small", "1.0"))
    assert_published(server, wheel)


def test_a_store_that_fails_in_the_middle_is_503_and_the_next_upload_works(site: Site) -> None:
    # The body stays in memory, so that the store is the first to find no room.
    site.configure(SERVER, inbuf_overflow=50_000_000)
    wheel = build_wheel("stored", "1.0", body=LARGE)
    with Server(site) as server:
        with no_file_beyond(server, 4_000_000):
            answer = Visitor(server, site.tokens["ada"]).upload(wheel)
            assert_unavailable(answer)
            assert "file store" in answer.reason
            assert_nothing_listed(server, "stored")
            assert site.blobs() == set()
            assert_published(server, build_wheel("small", "1.0"))
        assert_published(server, wheel)
    assert site.run("check", "--digests").returncode == 0


def test_a_database_that_cannot_grow_is_503_and_the_next_upload_works(site: Site) -> None:
    with Server(site) as server:
        ada = Visitor(server, site.tokens["ada"])
        assert_published(server, build_wheel("first", "1.0"))
        log = Path(f"{site.folder}/var/warehouse14.sqlite-wal")
        wheel = build_wheel("logged", "1.0")
        with no_file_beyond(server, log.stat().st_size + 1000):
            assert_unavailable(ada.upload(wheel))
            assert_nothing_listed(server, "logged")
            assert ada.files("first") == ["first-1.0-py3-none-any.whl"]
        assert_published(server, wheel)
    assert site.run("check", "--digests").returncode == 0


# -- a real disk that is full -----------------------------------------------------------

_DISK = 12_000_000
#: Mounts a small disk in a namespace of its own, moves the site there, and becomes the command.
_ON_A_SMALL_DISK = f'mount -t tmpfs -o size={_DISK} tmpfs disk && cp -a small/. disk/ && cd disk && exec "$@"'


def _own_namespace() -> list[str]:
    """Return the words that give a command mounts of its own; a machine that allows none is an error."""
    tried = []
    for words in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        done = subprocess.run(
            [*words, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return words
        tried.append(f"{' '.join(words)}: {done.stderr.strip()}")
    pytest.fail(
        "This test fills a small disk of its own, and this machine lets it mount none, neither with "
        "CAP_SYS_ADMIN nor in a user namespace: " + "; ".join(tried)
    )


@pytest.mark.debian
def test_a_full_disk_is_503_and_the_next_upload_that_fits_works(site: Site, tmp_path: Path) -> None:
    site.folder.rename(tmp_path / "small")
    (tmp_path / "disk").mkdir()
    outside = Site(tmp_path)
    outside.tokens = site.tokens
    inside = Site(tmp_path / "disk")
    wrapper = [*_own_namespace(), "sh", "-c", _ON_A_SMALL_DISK, "sh"]
    server = Server(outside, ini=inside.ini, wrapper=wrapper)
    with server:
        # The same folder, as the server sees it.
        inside = Site(Path(f"/proc/{server.process.pid}/root{inside.folder}"))
        ada = Visitor(server, site.tokens["ada"])
        assert ada.upload(build_wheel("fits", "1.0", body=os.urandom(1_000_000))).status_code == 200
        for number in range(3):
            wheel = build_wheel("full", f"{number}.0", body=LARGE)
            assert_unavailable(ada.upload(wheel))
            wait_until(lambda: inside.waiting() == [], what="the end of what was sent")
            assert ada.files("full") == []
            assert "full" not in ada.projects()
        small = build_wheel("fits", "2.0", body=os.urandom(1_000_000))
        assert ada.upload(small).status_code == 200
        assert ada.get(f"/packages/fits/{small.filename}").content == small.content
        assert len(ada.files("fits")) == 2
        shutil.copytree(inside.folder, tmp_path / "copy")
    assert Site(tmp_path / "copy").run("check", "--digests").returncode == 0
