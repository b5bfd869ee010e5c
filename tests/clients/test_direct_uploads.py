"""``warehouse14 upload``: parts that go straight to a real store, past a real server."""

import hashlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import termios
import threading
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from support.backends import Pair
from support.buckets import BucketServer
from support.clients import Clients
from support.sending import Sender, started, upload, words, written
from support.servers import Server, wait_until
from support.sites import APP, COMMAND, Backends, Site, environment
from support.token_page import Browser
from support.visitors import Visitor
from support.wheels import StoredWheel
from warehouse14.cli.sending.direct import Sent, send_in_parts
from warehouse14.cli.sending.local import read_file
from warehouse14.cli.sending.site import Site as Index
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel, zip_bytes

MIB = 1024 * 1024
LARGE = 300 * MIB
STAGING = "packages/staging/"
STORES = [
    pytest.param("localstack", id="localstack"),
    pytest.param("swift", id="swift", marks=pytest.mark.registry),
]


@dataclass
class Stored:
    """A site whose files are in a bucket, and who serves both."""

    site: Site
    backends: Backends
    server: Server
    store: BucketServer

    @property
    def ada(self) -> str:
        return self.site.tokens["ada"]

    @property
    def bucket(self) -> str:
        return self.backends.settings["warehouse14.files.bucket"]

    def staged(self) -> list[str]:
        """Return the keys of the files that wait, without their notes."""
        listed = self.store.client().list_objects_v2(Bucket=self.bucket, Prefix=STAGING)
        return [found["Key"] for found in listed.get("Contents", ()) if found["Key"].endswith("/file")]

    def open_uploads(self) -> list[Any]:
        found = self.store.client().list_multipart_uploads(Bucket=self.bucket, Prefix=STAGING)
        return list(found.get("Uploads", ()))

    def parts(self) -> dict[int, datetime]:
        """Return when each part of the only upload of which any have come did, by number."""
        found: dict[int, datetime] = {}
        for begun in self.open_uploads():
            client = self.store.client()
            # Whatever is finished meanwhile has no parts any more.
            with suppress(client.exceptions.NoSuchUpload):
                listed = client.list_parts(Bucket=self.bucket, Key=begun["Key"], UploadId=begun["UploadId"])
                found |= {part["PartNumber"]: part["LastModified"] for part in listed.get("Parts", ())}
        return found

    def listed(self, project: str) -> list[str]:
        return Visitor(self.server, self.ada).files(project)


@pytest.fixture(scope="module", params=STORES)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    store: BucketServer = request.getfixturevalue(request.param)
    with Pair("sqlite", request.param).opened(request.getfixturevalue) as backends:
        site = Site.in_folder(tmp_path_factory.mktemp("direct") / "site", backends, forked=True).prepare()
        with Server(site) as server:
            yield Stored(site, backends, server, store)


# -- the usual way ------------------------------------------------------------------------


def test_a_wheel_goes_in_parts_and_comes_back(stored: Stored, tmp_path: Path) -> None:
    wheel = build_wheel("in-parts", "1.0", body=os.urandom(18 * MIB))
    (path,) = written(tmp_path, wheel)
    assert upload(stored.server, stored.ada, path).well() == f"{wheel.filename}: published\n"
    visitor = Visitor(stored.server, stored.ada)
    assert visitor.get(f"/packages/in-parts/{wheel.filename}").content == wheel.content
    assert stored.site.damage() == []
    assert (stored.staged(), stored.parts()) == ([], {})
    assert upload(stored.server, stored.ada, path).well() == f"{wheel.filename}: there already\n"


@pytest.mark.thorough
def test_damaged_bytes_are_mended_by_a_file_that_is_sent_again(stored: Stored, tmp_path: Path) -> None:
    wheel = build_wheel("mended", "1.0")
    (path,) = written(tmp_path, wheel)
    upload(stored.server, stored.ada, path).well()
    client = stored.store.client()
    listed = client.list_objects_v2(Bucket=stored.bucket, Prefix="packages/blobs/mended/")["Contents"]
    (key,) = (found["Key"] for found in listed if found["Key"].endswith(".whl"))
    client.put_object(Bucket=stored.bucket, Key=key, Body=b"?" + wheel.content[1:])
    assert upload(stored.server, stored.ada, path).well() == f"{wheel.filename}: there already\n"
    assert len(stored.site.damage()) == 1
    assert upload(stored.server, stored.ada, "--again", path).well() == f"{wheel.filename}: there already\n"
    assert stored.site.damage() == []
    with pytest.raises(AssertionError, match="again: write yes, or leave it out"):
        ByHand(stored).begin(wheel, again="no")


def test_a_terminal_shows_how_far_it_is(stored: Stored, tmp_path: Path) -> None:
    (path,) = written(tmp_path, build_wheel("shown", "1.0", body=os.urandom(18 * MIB)))
    terminal, its_end = pty.openpty()
    termios.tcsetwinsize(its_end, (24, 120))
    sender = subprocess.Popen(
        words(stored.server, path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=its_end,
        env=environment(WAREHOUSE14_TOKEN=stored.ada),
    )
    os.close(its_end)
    shown = b""
    # A terminal that nobody writes to any more is an error.
    with suppress(OSError):
        while data := os.read(terminal, 65536):
            shown += data
    os.close(terminal)
    said, _ = sender.communicate(timeout=60)
    assert (sender.returncode, said.decode()) == (0, f"{path.name}: published\n")
    assert re.search(rf"sending {re.escape(path.name)}: +[0-9]+%", shown.decode())


def test_after_its_line_on_the_page_of_a_token_the_command_publishes(
    stored: Stored, tmp_path: Path, clients: Clients
) -> None:
    (tmp_path / "dist").mkdir()
    (path,) = written(tmp_path / "dist", build_wheel("pasted", "1.0"))
    page = Browser(stored.server, "ada").new_token()
    line = page.lines["the line for warehouse14 upload"]
    said = clients.shell(line, f"{COMMAND} upload dist/*", cwd=tmp_path).well()
    assert said.endswith(f"{path.name}: published\n")


@pytest.mark.thorough
def test_several_files_are_published_and_installed(stored: Stored, tmp_path: Path, clients: Clients) -> None:
    files = written(tmp_path, build_wheel("several", "1.0"), build_sdist("several", "1.0"))
    upload(stored.server, stored.ada, *files).well()
    empty = clients.empty_environment("several")
    empty.pip(stored.server.as_account(stored.ada), "several").well()
    assert empty.installed() == {"several": "1.0"}


def test_the_entry_of_the_journal_is_that_of_any_upload(stored: Stored, tmp_path: Path) -> None:
    (path,) = written(tmp_path, build_wheel("entered", "1.0"))
    upload(stored.server, stored.ada, path).well()
    lines = stored.site.command("journal", "--project", "entered", "--format", "jsonl").splitlines()
    (entry,) = [row for row in map(json.loads, lines) if row["action"] == "file.upload"]
    assert (entry["actor"], entry["origin"]) == ("ada", "127.0.0.1")
    assert entry["by_token"] in stored.ada


# -- refusals -----------------------------------------------------------------------------


def with_a_stray_member(project: str) -> BuiltFile:
    """Return a wheel with a member that is not in its RECORD."""
    built = build_wheel(project, "1.0")
    with zipfile.ZipFile(io.BytesIO(built.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return BuiltFile(built.filename, zip_bytes({"stray.py": b"", **members}), built.filetype)


def test_a_refused_file_is_told_of_in_the_words_that_twine_gets(
    stored: Stored, tmp_path: Path, clients: Clients
) -> None:
    (path,) = written(tmp_path, with_a_stray_member("refused"))
    said = upload(stored.server, stored.ada, path).badly()
    sentence = said.removeprefix(f"warehouse14: {path.name}: ")
    assert "it does not list 'stray.py', which is in the wheel." in sentence
    assert sentence in clients.twine(stored.server.url, stored.ada, path).badly()
    assert (stored.listed("refused"), stored.staged(), stored.parts()) == ([], [], {})


def test_other_bytes_under_a_listed_name_are_refused_before_they_are_sent(
    stored: Stored, tmp_path: Path, clients: Clients
) -> None:
    (path,) = written(tmp_path, build_wheel("taken", "1.0"))
    upload(stored.server, stored.ada, path).well()
    written(tmp_path, build_wheel("taken", "1.0", body=b"other"))
    said = upload(stored.server, stored.ada, path).badly()
    sentence = said.removeprefix(f"warehouse14: {path.name}: ")
    assert sentence.startswith("File already exists")
    assert sentence in clients.twine(stored.server.url, stored.ada, path).badly()


def test_one_that_is_refused_keeps_no_other_back(stored: Stored, tmp_path: Path) -> None:
    good = build_wheel("good", "1.0")
    files = written(tmp_path, with_a_stray_member("bad"), good)
    done = upload(stored.server, stored.ada, *files)
    assert (done.status, f"{good.filename}: published" in done.said) == (1, True)
    assert stored.listed("good") == [good.filename]


@pytest.mark.parametrize(
    ("whose", "sentence"),
    [
        ("ben", "This token does not publish. Make one with the scope upload."),
        ("nobody", "The token is unknown"),
    ],
)
def test_who_may_not_publish_sends_nothing(stored: Stored, tmp_path: Path, whose: str, sentence: str) -> None:
    (path,) = written(tmp_path, build_wheel("forbidden", "1.0"))
    before = stored.open_uploads()
    token = stored.site.tokens.get(whose, "wh14_" + 43 * "0")
    assert sentence in upload(stored.server, token, path).badly()
    assert stored.open_uploads() == before


# -- by hand ------------------------------------------------------------------------------


class ByHand(Sender):
    """A client of the API of one account of a site."""

    def __init__(self, stored: Stored, who: str = "ada") -> None:
        super().__init__(stored.server.url, stored.site.tokens[who])


def test_the_api_answers_with_an_address_to_poll_and_then_as_any_upload(stored: Stored) -> None:
    ada, wheel = ByHand(stored), build_wheel("by-hand", "1.0")
    path = ada.begin(wheel)
    assert ada.get(path).json()["state"] == "sending"
    refused = ada.post(f"{path}/finish")
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        "content: 1 of 1 parts have not come whole, part 1 first. Send them.",
    )
    ada.send(path, wheel.content)
    assert ada.get(path).json()["sent"] == [1]
    asked = ada.post(f"{path}/finish")
    assert (asked.status_code, asked.json()) == (202, {"state": "checking"})
    assert asked.headers["Location"].endswith(path)
    assert asked.headers["Retry-After"] == "1"
    for _ in range(2):
        answer = ada.outcome(path)
        assert (answer.status_code, answer.json()) == (
            200,
            {"state": "published", "changed": True, "filename": wheel.filename, "warnings": []},
        )
    assert ada.post(f"{path}/finish").status_code == 200


def test_a_refusal_has_the_status_of_any_upload(stored: Stored) -> None:
    ada = ByHand(stored)
    wheel = with_a_stray_member("by-hand-refused")
    path = ada.begin(wheel)
    ada.send(path, wheel.content)
    ada.post(f"{path}/finish")
    answer = ada.outcome(path)
    assert answer.status_code == 400
    assert "stray.py" in answer.json()["error"]
    assert ada.begin(wheel) != path


def test_another_account_can_do_nothing_with_an_id(stored: Stored) -> None:
    wheel = build_wheel("hers", "1.0")
    path = ByHand(stored).begin(wheel)
    cleo = ByHand(stored, "cleo")
    sha256 = hashlib.sha256(wheel.content).hexdigest()
    for answer in (
        cleo.get(path),
        cleo.post(f"{path}/part", number="1", sha256=sha256),
        cleo.post(f"{path}/finish"),
        cleo.get(path[:-1] + "x"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (
            404,
            "There is no such upload of yours: it has ended, or is over a day old. Begin it again.",
        )
    assert requests.get(f"{stored.server.url}/api/uploads{path}", timeout=60).status_code == 401


def test_many_who_finish_at_once_publish_it_once(stored: Stored) -> None:
    ada, wheel = ByHand(stored), build_wheel("at-once", "1.0", body=os.urandom(MIB))
    path = ada.begin(wheel)
    ada.send(path, wheel.content)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(ada.post(f"{path}/finish").status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {200, 202}
    assert ada.outcome(path).status_code == 200
    lines = stored.site.command("journal", "--project", "at-once", "--format", "jsonl").splitlines()
    assert [json.loads(line)["action"] for line in lines].count("file.upload") == 1


def test_who_sends_what_another_finishes_meanwhile_gets_the_answer_too(
    stored: Stored, tmp_path: Path
) -> None:
    ada, wheel = ByHand(stored), build_wheel("meanwhile", "1.0")
    (path,) = written(tmp_path, wheel)
    outcomes: list[int] = []

    def another(_: int) -> None:
        if not outcomes:
            upload = ada.begin(wheel)
            ada.send(upload, wheel.content)
            ada.post(f"{upload}/finish")
            outcomes.append(ada.outcome(upload).status_code)

    sent = send_in_parts(Index(stored.server.url, stored.ada), read_file(str(path), lambda _: None), another)
    assert (outcomes, sent) == ([200], Sent(is_new=True, warnings=[]))


@pytest.mark.thorough
def test_what_was_never_finished_is_collected_when_it_is_old(stored: Stored) -> None:
    ada, wheel = ByHand(stored), build_wheel("left", "1.0")
    path = ada.begin(wheel)
    ada.send(path, wheel.content)
    assert STAGING.removeprefix("packages/") not in stored.site.command("collect")
    assert ada.get(path).json()["sent"] == [1]
    time.sleep(1.1)
    assert STAGING.removeprefix("packages/") in stored.site.command("collect", "--older-than", "0")
    assert stored.open_uploads() == []
    assert ada.get(path).status_code == 404
    assert ada.begin(wheel) != path


# -- deaths -------------------------------------------------------------------------------

#: Where the server dies that is at work on what has come: the first is between the copy and the commit.
STEPS = [
    "before the commit",
    "before the inspection",
    "before the blobs",
    "after the blobs",
    "after the commit",
]


def trapped(stored: Stored) -> tuple[Site, Path]:
    """Return the same site, whose stores end the process at a step, and the file that says at which."""
    armed = stored.site.folder / "armed"
    site = Site(stored.site.folder, stored.backends.variables)
    site.ini = site.folder / "trapped.ini"
    site.ini.write_bytes(stored.site.ini.read_bytes())
    site.configure(
        APP,
        warehouse14__files="support.killing:file_store",
        warehouse14__files__engine="s3",
        warehouse14__files__armed=armed,
        warehouse14__metadata="support.killing:units",
        warehouse14__metadata__armed=armed,
    )
    return site, armed


@pytest.mark.thorough
@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_dies_at_work_is_followed_by_another(stored: Stored, tmp_path: Path, step: str) -> None:
    site, armed = trapped(stored)
    project = step.replace(" ", "-")
    wheel = build_wheel(project, "1.0", body=os.urandom(MIB))
    (path,) = written(tmp_path, wheel)
    with Server(site) as victim:
        armed.write_text(step, encoding="utf-8")
        sender = started(victim, stored.ada, path)
        assert victim.process.wait(timeout=60) == -signal.SIGKILL
        assert not armed.exists(), "the step was never reached"
        with Server(stored.site, port=victim.port):
            said, _ = sender.communicate(timeout=120)
    outcome = "there already" if step == "after the commit" else "published"
    assert (sender.returncode, said) == (0, f"{wheel.filename}: {outcome}\n")
    visitor = Visitor(stored.server, stored.ada)
    assert visitor.get(f"/packages/{project}/{wheel.filename}").content == wheel.content
    assert stored.site.damage() == []
    lines = stored.site.command("journal", "--project", project, "--format", "jsonl").splitlines()
    assert [json.loads(line)["action"] for line in lines].count("file.upload") == 1


def has_more(stored: Stored, than: int) -> bool:
    return len(stored.parts()) >= than


@pytest.mark.thorough
def test_a_large_wheel_whose_sender_is_killed_twice_is_sent_once(stored: Stored, tmp_path: Path) -> None:
    wheel = StoredWheel("large-direct", LARGE)
    path = tmp_path / wheel.filename
    with path.open("wb") as file:
        for piece in wheel.content():
            file.write(piece)
    before: dict[int, datetime] = {}
    for _ in range(2):
        sender = started(stored.server, stored.ada, path)
        known = len(before)
        wait_until(partial(has_more, stored, known + 5), seconds=120, what="five parts")
        sender.send_signal(signal.SIGKILL)
        sender.communicate(timeout=60)
        # What was on its way may still arrive, and times have whole seconds.
        time.sleep(2)
        now = stored.parts()
        assert before.items() <= now.items()
        assert known + 5 <= len(now) < 38
        before = now
    sender, last = started(stored.server, stored.ada, path), before
    while sender.poll() is None and (now := stored.parts()):
        last = now
    said, _ = sender.communicate(timeout=300)
    assert (sender.returncode, said) == (0, f"{wheel.filename}: published\n")
    assert before.items() <= last.items()
    digest = hashlib.sha256()
    for piece in wheel.content():
        digest.update(piece)
    page = Visitor(stored.server, stored.ada).page("large-direct").json()
    assert [file["hashes"]["sha256"] for file in page["files"]] == [digest.hexdigest()]
    assert stored.site.damage() == []
    assert (stored.staged(), stored.parts()) == ([], {})


# -- other sites, and wrong usage ---------------------------------------------------------


def test_a_site_without_such_a_store_gets_the_form(
    server: Server, shared_site: Site, tmp_path: Path, clients: Clients
) -> None:
    wheel = build_wheel("as-a-form", "1.0", body=os.urandom(3 * MIB))
    good, bad = written(tmp_path, wheel, with_a_stray_member("bad-form"))
    ada = shared_site.tokens["ada"]
    # Whether it was listed already is not answered.
    for _ in range(2):
        assert upload(server, ada, good).well() == f"{wheel.filename}: sent\n"
    visitor = Visitor(server, ada)
    assert visitor.get(f"/packages/as-a-form/{wheel.filename}").content == wheel.content
    sentence = upload(server, ada, bad).badly().removeprefix(f"warehouse14: {bad.name}: ")
    assert sentence in clients.twine(server.url, ada, bad).badly()


@pytest.mark.parametrize(
    ("variables", "more", "sentence"),
    [
        ({}, ["--url", "http://127.0.0.1:1"], "WAREHOUSE14_TOKEN is not set"),
        ({"WAREHOUSE14_TOKEN": "x"}, [], "say which site: --url URL"),
        ({"WAREHOUSE14_TOKEN": "x"}, ["--url", "example.com"], "is not the address of a site"),
        (
            {"WAREHOUSE14_TOKEN": "x"},
            ["--url", "https://a:b@example.com"],
            "keep the token in WAREHOUSE14_TOKEN",
        ),
        ({"WAREHOUSE14_TOKEN": "x", "WAREHOUSE14_URL": "nowhere"}, [], "is not the address of a site"),
    ],
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, variables: dict[str, str], more: Sequence[str], sentence: str
) -> None:
    (path,) = written(tmp_path, build_wheel("demo", "1.0"))
    done = subprocess.run(
        [COMMAND, "upload", *more, path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(**variables),
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert sentence in done.stderr
    assert "a:b" not in done.stderr


def test_the_address_of_the_site_may_stand_in_the_environment_or_the_ini(
    server: Server, shared_site: Site, tmp_path: Path
) -> None:
    files = written(tmp_path, build_wheel("by-variable", "1.0"), build_wheel("by-ini", "1.0"))
    ini = tmp_path / "site.ini"
    ini.write_text(f"[app:main]\nwarehouse14.url = {server.url}\n", encoding="ascii")
    token = {"WAREHOUSE14_TOKEN": shared_site.tokens["ada"]}
    for command, variables in (
        ([COMMAND, "upload", files[0]], {"WAREHOUSE14_URL": f"{server.url}/legacy/"}),
        ([COMMAND, "--ini", ini, "upload", files[1]], {}),
    ):
        subprocess.run(
            command, check=True, timeout=60, capture_output=True, env=environment(**token, **variables)
        )
    assert Visitor(server, shared_site.tokens["ada"]).files("by-ini") == [files[1].name]
    assert Visitor(server, shared_site.tokens["ada"]).files("by-variable") == [files[0].name]
