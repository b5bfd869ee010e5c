"""Uploads straight to the store, of a function: who checks them, and what is left if that goes wrong."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from support.cables import Cable
from support.front_ends import FrontEnd
from support.functions import Function, variables_of
from support.lambda_api import LambdaApi
from support.sending import Sender, started, upload, written
from support.servers import free_port, wait_until
from support.sites import TESTS, Site
from support.visitors import Visitor
from support.wheels import StoredWheel
from warehouse14.aws_lambda.starting import OfAnotherFunction
from warehouse14.domain.errors import Misconfigured
from warehouse14.domain.services.beginnings import PART_BYTES
from warehouse14.testing.builders import BuiltFile, build_wheel

MIB = 1024 * 1024
GATE = "index-gate"
ARN = "arn:aws:lambda"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
#: As clients know it, or as the store does.
ID = re.compile(r"[0-9a-f]{32}/?[0-9a-f]{32}")


@dataclass
class Served:
    """A site behind a front end.

    Attributes:
        site: what is served.
        front: the front end.
        function: what answers requests.
        gate: what checks uploads.
        api: what invokes the gate.
    """

    site: Site
    front: FrontEnd
    function: Function
    gate: Function
    api: LambdaApi

    @property
    def ada(self) -> Sender:
        return Sender(self.front.url, self.site.tokens["ada"])

    def listed(self, project: str) -> list[str]:
        return Visitor(self.front, self.site.tokens["ada"]).files(project)

    def uploads(self, project: str) -> int:
        """Return how many files were ever published in a project."""
        lines = self.site.command("journal", "--project", project, "--format", "jsonl").splitlines()
        return [json.loads(line)["action"] for line in lines].count("file.upload")


@contextmanager
def served(site: Site, *, named: str = GATE, **of_the_gate: str) -> Iterator[Served]:
    """Serve a site by two functions; ``of_the_gate`` are variables of the second."""
    with ExitStack() as stack:
        variables = variables_of(site)
        gate = stack.enter_context(Function(variables | of_the_gate, handler="gate"))
        api = stack.enter_context(LambdaApi(gate, named))
        own = variables | api.variables() | {"WAREHOUSE14_LAMBDA_GATE": named}
        function = stack.enter_context(Function(own))
        front = stack.enter_context(FrontEnd("http-api", function))
        yield Served(site, front, function, gate, api)


@pytest.fixture(scope="module")
def pair(remote_site: Site) -> Iterator[Served]:
    """That site with a gate."""
    with served(remote_site) as pair:
        yield pair


@pytest.fixture
def patient(pair: Served) -> Iterator[Served]:
    """The same, whose platform is as it should be again afterwards."""
    yield pair
    pair.api.refusals.clear()
    pair.api.begins = 0.0


def asked_for(pair: Served, built: BuiltFile) -> str:
    """Send a file and ask that it be published; return the path of the upload."""
    path = pair.ada.begin(built)
    pair.ada.send(path, built.content)
    assert pair.ada.post(f"{path}/finish").status_code == 202
    return path


# -- by another function ------------------------------------------------------------------


def test_a_file_that_no_request_could_carry_is_published(pair: Served, tmp_path: Path) -> None:
    wheel = build_wheel("past-the-limit", "1.0", body=os.urandom(9 * MIB))
    (path,) = written(tmp_path, wheel)
    before = len(pair.api.asked)
    token = pair.site.tokens["ada"]
    assert upload(pair.front, token, path).well() == f"{wheel.filename}: published\n"
    visitor = Visitor(pair.front, token)
    assert visitor.get(f"/packages/past-the-limit/{wheel.filename}").content == wheel.content
    (event,) = pair.api.asked[before:]
    assert list(event) == ["upload"]
    assert ID.fullmatch(event["upload"])
    assert pair.site.damage() == []


@pytest.mark.thorough
def test_a_refusal_is_an_answer_and_no_error_of_the_function(pair: Served, tmp_path: Path) -> None:
    (path,) = written(tmp_path, build_wheel("no-wheel", "1.0"))
    path.write_bytes(b"no wheel" * MIB)
    said = upload(pair.front, pair.site.tokens["ada"], path).badly()
    assert said.startswith(f"warehouse14: {path.name}: ")
    pair.api.settled()
    assert pair.api.answers[-1] is None
    assert pair.listed("no-wheel") == []


def test_while_a_process_begins_polls_call_no_other(patient: Served) -> None:
    patient.api.begins = 1.0
    before = len(patient.api.asked)
    wheel = build_wheel("cold", "1.0")
    path = asked_for(patient, wheel)
    for _ in range(5):
        assert patient.ada.get(path).status_code == 202
    assert patient.ada.outcome(path).status_code == 200
    assert len(patient.api.asked) == before + 1


def test_a_gate_that_may_not_be_invoked_is_a_line_in_the_log_and_the_next_poll_tries_again(
    patient: Served,
) -> None:
    sentence = (
        f"User: arn:aws:sts::1:assumed-role/x is not authorized to perform: lambda:InvokeFunction on {GATE}"
    )
    before = patient.function.log()
    patient.api.refusals += 2 * [(403, "AccessDeniedException", sentence)]
    path = asked_for(patient, build_wheel("forbidden-gate", "1.0"))
    assert patient.ada.get(path).status_code == 202
    told = patient.function.log().removeprefix(before).splitlines()
    assert len(told) == 2
    for line in told:
        assert "nobody can be had to check a direct upload" in line
        assert f"The function {GATE} cannot be invoked." in line
        assert "AccessDeniedException" in line
        assert sentence in line
    assert patient.ada.outcome(path).status_code == 200


def test_no_log_has_the_id_of_an_upload(pair: Served) -> None:
    path = asked_for(pair, build_wheel("in-no-log", "1.0"))
    assert pair.ada.outcome(path).status_code == 200
    assert ID.search(pair.function.log() + pair.gate.log()) is None


@pytest.mark.parametrize(
    ("name", "region"),
    [
        (GATE, "us-east-1"),
        (f"{GATE}:live", "us-east-1"),
        (f"{ARN}:eu-central-1:123456789012:function:{GATE}", "eu-central-1"),
        (f"{ARN}:eu-central-1:123456789012:function:{GATE}:$LATEST", "eu-central-1"),
    ],
)
def test_a_gate_is_named_by_its_name_or_by_its_arn_in_its_region(
    monkeypatch: pytest.MonkeyPatch, name: str, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with LambdaApi(None, name) as api:
        for key, value in (api.variables() | CREDENTIALS).items():
            monkeypatch.setenv(key, value)
        OfAnotherFunction(name)("0" * 64)
        assert (api.asked, api.regions) == ([{"upload": "0" * 64}], [region])


@pytest.mark.parametrize(
    "name", ["https://gate.example", f"{ARN}:eu-central-1:1:function:{GATE}", "a b", ":x"]
)
def test_what_is_no_function_is_one_line_that_names_the_setting(name: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"^warehouse14.lambda_gate = .* is not the name or the ARN of a "
    ):
        OfAnotherFunction(name)


@pytest.mark.thorough
def test_a_platform_that_does_not_answer_keeps_nobody_waiting_for_long(remote_site: Site) -> None:
    own = {
        "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{free_port()}",
        "WAREHOUSE14_LAMBDA_GATE": GATE,
    }
    with Function(variables_of(remote_site) | own) as function, FrontEnd("http-api", function) as front:
        ada, wheel = Sender(front.url, remote_site.tokens["ada"]), build_wheel("unreachable-gate", "1.0")
        path = ada.begin(wheel)
        ada.send(path, wheel.content)
        began = time.monotonic()
        assert ada.post(f"{path}/finish").status_code == 202
        assert time.monotonic() - began < 12
        assert "Could not connect to the endpoint URL" in function.log()


@pytest.mark.parametrize(
    "event",
    [{}, {"upload": None}, {"upload": ["x"]}, {"upload": "0" * 63}, [], "x", {"Records": [{"s3": {}}]}],
)
def test_an_event_that_names_no_upload_is_an_error_that_says_so(pair: Served, event: object) -> None:
    error = pair.gate.invoke(event).error
    assert (error["errorType"], error["errorMessage"]) == (
        "ValueError",
        'this event names no direct upload: it is not {"upload": ID}',
    )


def test_an_upload_that_is_not_there_is_no_error(pair: Served) -> None:
    invocation = pair.gate.invoke({"upload": "0" * 64})
    assert (invocation.error, invocation.answer) == (None, None)


def asked_parts(pair: Served) -> int:
    return sum(path.endswith("/part") for path in pair.front.paths)


def has_asked_for_parts(pair: Served, count: int) -> bool:
    return asked_parts(pair) >= count


# -- what goes wrong ----------------------------------------------------------------------


def trapped(folder: Path) -> tuple[dict[str, str], Path]:
    """Return variables of a function whose stores end its process at a step, and the file that says which."""
    armed = folder / "armed"
    return {
        "PYTHONPATH": str(TESTS),
        "WAREHOUSE14_FILES": "support.killing:file_store",
        "WAREHOUSE14_FILES_ENGINE": "s3",
        "WAREHOUSE14_FILES_ARMED": str(armed),
    }, armed


@pytest.mark.thorough
def test_a_gate_that_dies_is_followed_by_the_second_delivery(remote_site: Site, tmp_path: Path) -> None:
    variables, armed = trapped(tmp_path)
    wheel = build_wheel("died-once", "1.0", body=os.urandom(MIB))
    with served(remote_site, **variables) as pair:
        # Longer than whoever is at work is trusted to be, as on the platform.
        pair.api.again = 25.0
        armed.write_text("before the blobs", encoding="utf-8")
        asked_for(pair, wheel)
        # Nobody polls.
        pair.api.settled()
        assert not armed.exists(), "the step was never reached"
        assert [error and error["errorType"] for error in pair.api.answers] == ["Runtime.ExitError", None]
        assert pair.listed("died-once") == [wheel.filename]
        assert pair.uploads("died-once") == 1


@pytest.mark.thorough
def test_a_store_that_is_away_has_the_platform_try_again(remote_site: Site) -> None:
    wheel = build_wheel("store-away", "1.0")
    port = int(variables_of(remote_site)["WAREHOUSE14_FILES_ENDPOINT_URL"].rpartition(":")[2])
    with Cable(port) as cable:
        near = {
            "WAREHOUSE14_FILES_ENDPOINT_URL": f"http://127.0.0.1:{cable.port}",
            "WAREHOUSE14_FILES_ATTEMPTS": "1",
        }
        with served(remote_site, **near) as pair:
            pair.gate.invoke({"upload": "0" * 64})
            cable.refuse()
            asked_for(pair, wheel)
            wait_until(lambda: bool(pair.api.answers), seconds=30, what="the first delivery")
            cable.mend()
            pair.api.settled()
            kinds = [error and error["errorType"] for error in pair.api.answers]
            assert set(kinds[:-1]) == {"Unavailable"}
            assert kinds[-1] is None
            assert pair.listed("store-away") == [wheel.filename]
            assert "a direct upload waits: " in pair.gate.log()
            assert ID.search(pair.gate.log()) is None


@pytest.mark.thorough
def test_a_wheel_of_300_mb_is_sent_once_although_its_sender_is_killed_twice_and_the_gate_once(
    remote_site: Site, tmp_path: Path
) -> None:
    wheel = StoredWheel("large-through-a-function", 300 * MIB)
    path = tmp_path / wheel.filename
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for piece in wheel.content():
            digest.update(piece)
            file.write(piece)
    variables, armed = trapped(tmp_path)
    token = remote_site.tokens["ada"]
    with served(remote_site, **variables) as pair:
        for count in (8, 16):
            sender = started(pair.front, token, path)
            wait_until(partial(has_asked_for_parts, pair, count), seconds=60, what="parts")
            sender.kill()
            sender.communicate(timeout=60)
        armed.write_text("before the blobs", encoding="utf-8")
        assert upload(pair.front, token, path).well() == f"{wheel.filename}: published\n"
        assert not armed.exists(), "the step was never reached"
        page = Visitor(pair.front, token).page("large-through-a-function").json()
        assert [file["hashes"]["sha256"] for file in page["files"]] == [digest.hexdigest()]
        assert pair.uploads("large-through-a-function") == 1
        # Those that were on their way, four at a time, are sent again.
        assert asked_parts(pair) <= 300 * MIB // PART_BYTES + 1 + 2 * 4


# -- by the function itself ---------------------------------------------------------------


def test_without_another_function_it_is_checked_before_the_request_is_answered(remote_site: Site) -> None:
    """The process stands still from its answer on, as on the platform."""
    wheel = build_wheel("within-the-request", "1.0")
    with (
        Function(variables_of(remote_site), freezes=True) as function,
        FrontEnd("http-api", function) as front,
    ):
        ada = Sender(front.url, remote_site.tokens["ada"])
        path = ada.begin(wheel)
        ada.send(path, wheel.content)
        assert ada.post(f"{path}/finish").status_code == 202
        with remote_site.library() as warehouse:
            [release] = warehouse.projects.releases(warehouse.account("ada"), "within-the-request")
        assert [file.filename for file in release.listed] == [wheel.filename]
        assert ada.get(path).json()["state"] == "published"


@pytest.mark.thorough
def test_without_another_function_a_file_that_no_request_could_carry_is_published(
    remote_site: Site, tmp_path: Path
) -> None:
    wheel = build_wheel("by-itself", "1.0", body=os.urandom(18 * MIB))
    (path,) = written(tmp_path, wheel)
    with Function(variables_of(remote_site)) as function, FrontEnd("http-api", function) as front:
        assert upload(front, remote_site.tokens["ada"], path).well() == f"{wheel.filename}: published\n"
