"""What the platform cannot carry: compressed where that helps, and 503 where nothing does."""

import gzip
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

import pytest

from aws_lambda.publishing import noise, publish
from support.front_ends import KINDS, body_of, event_of, headers_of
from support.functions import Function, variables_of
from support.runtime_api import MOST_BYTES
from support.sites import Site
from warehouse14.domain.model import File
from warehouse14.domain.moving.known import restorable
from warehouse14.domain.names import ProjectName
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, build_wheel
from warehouse14.testing.samples import sample_file

MiB = 1024 * 1024
#: The largest body that fits as base64 beside its headers, in bytes: to a load balancer, and else.
BALANCED, DIRECT = 774_144, 4_706_304
GZIP = ("Accept-Encoding", "gzip")


@pytest.fixture(scope="module")
def files(near_site: Site) -> Mapping[str, BuiltFile]:
    built = [noise("small", 600_000), noise("middle", 3 * MiB), noise("huge", 6 * MiB)]
    for each in built:
        publish(near_site, each)
    return {each.filename.partition("-")[0]: each for each in built}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["small", "middle", "huge"])
def test_what_fits_is_sent_and_what_does_not_is_503_with_the_reason_in_the_log(
    function: Function, near_site: Site, files: Mapping[str, BuiltFile], kind: str, name: str
) -> None:
    wanted = files[name]
    most = BALANCED if kind.startswith("load-balancer") else DIRECT
    token = ("Authorization", f"Bearer {near_site.tokens['ada']}")
    event = event_of(kind, f"/packages/{name}/{wanted.filename}", "", token, GZIP)
    invocation = function.invoke(event)
    answer = invocation.answer
    assert len(json.dumps(answer)) <= (MiB if most == BALANCED else MOST_BYTES)
    if len(wanted.content) <= most:
        assert (answer["statusCode"], body_of(answer)) == (200, wanted.content)
        return
    assert answer["statusCode"] == 503
    assert body_of(answer).startswith(b"503 Service Unavailable\n\nThis answer is larger than the platform")
    # pip waits as long as it is told, again and again.
    assert {name.lower(): value for name, value in headers_of(answer)}["retry-after"] == "5"
    told = f"(more than {most} bytes; see docs/deploy/lambda.md) [request {invocation.id}]"
    assert any(line.endswith(told) for line in function.log().splitlines())
    head = event_of(kind, f"/packages/{name}/{wanted.filename}", "", token, method="HEAD")
    assert function.invoke(head).answer["statusCode"] == 200


@pytest.mark.parametrize("kind", ["load-balancer", "load-balancer-several"])
def test_what_would_not_fit_is_compressed_for_who_takes_that(
    function: Function, near_site: Site, kind: str
) -> None:
    built = build_wheel(f"told-{kind}", "1.0", description="A long story. " * 70_000)
    listed = publish(near_site, built)
    with near_site.library() as warehouse, warehouse.store.open(listed.metadata_key, 0) as stream:
        metadata = stream.read()
    assert len(metadata) > BALANCED
    path = f"/packages/{listed.project}/{built.filename}.metadata"
    token = ("Authorization", f"Bearer {near_site.tokens['ada']}")
    for accepted in ((), (("Accept-Encoding", "identity"),), (("Accept-Encoding", "gzip;q=0"),)):
        assert function.invoke(event_of(kind, path, "", token, *accepted)).answer["statusCode"] == 503
    answer = function.invoke(event_of(kind, path, "", token, GZIP)).answer
    headers = {name.lower(): value for name, value in headers_of(answer)}
    assert (answer["statusCode"], gzip.decompress(body_of(answer))) == (200, metadata)
    assert headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in headers["vary"]
    # The bytes that it names are not these.
    assert "etag" not in headers


@pytest.mark.thorough
def test_a_page_of_ten_thousand_files_is_whole_and_fits(remote_site: Site) -> None:
    files = [
        sample_file(
            f"many-1.{number}-py3-none-any.whl",
            ProjectName("many"),
            sha256=sha256(f"file {number}".encode()).hexdigest(),
            metadata_sha256=sha256(f"metadata {number}".encode()).hexdigest(),
        )
        for number in range(10_000)
    ]
    with remote_site.library() as warehouse:
        _put(warehouse, files)
    token = ("Authorization", f"Bearer {remote_site.tokens['ada']}")
    json_please = ("Accept", "application/vnd.pypi.simple.v1+json")
    with Function(variables_of(remote_site)) as function:
        answer = function.invoke(
            event_of("function-url", "/simple/many/", "", token, json_please, GZIP)
        ).answer
    body = body_of(answer)
    assert answer["statusCode"] == 200
    assert len(json.dumps(answer)) < MOST_BYTES
    shown = json.loads(gzip.decompress(body))["files"]
    assert {file["filename"]: file["hashes"]["sha256"] for file in shown} == {
        file.filename: file.sha256 for file in files
    }


def _put(warehouse: Warehouse, files: Sequence[File]) -> None:
    """Add a project with these files."""
    name = files[0].project
    warehouse.projects.create(warehouse.operator(), name, admin="ada")
    with warehouse.units.read() as unit:
        project = unit.projects.get(name)
    assert project is not None
    with restorable(warehouse.units).restoring() as restoration:
        restoration.project(project, files)
