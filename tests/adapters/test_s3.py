import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from support.buckets import BucketServer
from support.cables import Cable
from support.servers import free_port
from warehouse14.adapters import s3
from warehouse14.adapters.s3.store import S3Store
from warehouse14.domain.errors import Misconfigured, Unavailable, WarehouseError
from warehouse14.domain.ports import Elsewhere
from warehouse14.settings import Section, SettingError
from warehouse14.testing.file_store_contract.steps import KEY, names, read

MIB = 1024 * 1024
LARGE = 40 * MIB
SOON = datetime.now(UTC) + timedelta(days=1)
SERVERS = [pytest.param("localstack"), pytest.param("swift", marks=pytest.mark.registry)]


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BucketServer:
    found: BucketServer = request.getfixturevalue(request.param)
    for name, value in found.credentials().items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def bucket(server: BucketServer) -> str:
    return server.fresh()


@pytest.fixture
def cable(server: BucketServer) -> Iterator[Cable]:
    with Cable(server.port) as laid:
        yield laid


def opened(server: BucketServer, bucket: str, **more: str) -> S3Store:
    keys = {"bucket": bucket, "endpoint_url": server.endpoint, "region": "us-east-1", "path_style": "true"}
    store = s3.file_store(Section("warehouse14.files.", keys | more))
    assert isinstance(store, S3Store)
    return store


def through(cable: Cable, server: BucketServer, bucket: str, **more: str) -> S3Store:
    few = {"attempts": "1", "connect_seconds": "2", "read_seconds": "20"}
    return opened(server, bucket, endpoint_url=f"http://127.0.0.1:{cable.port}", **(few | more))


def put_large(store: S3Store, key: str = KEY, size: int = LARGE) -> bytes:
    data = os.urandom(MIB) * (size // MIB)
    with store.stage() as staged:
        for start in range(0, size, MIB):
            staged.write(data[start : start + MIB])
        staged.commit(key)
    return data


# -- storing ------------------------------------------------------------------------------


def test_a_large_blob_goes_in_parts_and_comes_back(server: BucketServer, bucket: str) -> None:
    store = opened(server, bucket)
    data = put_large(store)
    assert read(store, KEY) == data
    assert read(store, KEY, LARGE - 5) == data[-5:]
    assert list(store.leftovers(SOON)) == []
    etag = server.client().head_object(Bucket=bucket, Key=f"blobs/{KEY}")["ETag"]
    assert etag.strip('"').endswith("-3")


def test_a_large_blob_that_is_there_is_young_again(server: BucketServer, bucket: str) -> None:
    store = opened(server, bucket)
    data = put_large(store)
    before = store.stat(KEY)
    time.sleep(1.1)
    with store.stage() as staged:
        staged.write(data)
        staged.commit(KEY)
    after = store.stat(KEY)
    assert before is not None
    assert after is not None
    assert after.modified > before.modified
    assert read(store, KEY) == data


@pytest.mark.thorough
@pytest.mark.parametrize("passing", [1 * MIB, 17 * MIB, 39 * MIB])
def test_a_cut_in_the_middle_is_unavailable_and_leaves_no_blob(
    server: BucketServer, bucket: str, cable: Cable, passing: int
) -> None:
    store = through(cable, server, bucket)
    store.verify()
    cable.bytes_left = passing
    with pytest.raises(Unavailable) as caught:
        put_large(store)
    assert caught.value.__cause__ is not None
    cable.mend()
    assert names(store) == []
    data = put_large(store)
    assert read(store, KEY) == data
    for leftover in list(store.leftovers(SOON)):
        store.sweep(leftover)
    assert list(store.leftovers(SOON)) == []
    assert read(store, KEY) == data


def test_an_upload_whose_last_answer_is_lost_is_stored(server: BucketServer, bucket: str) -> None:
    store = opened(server, bucket)
    lost = []

    def lose(request: AWSPreparedRequest, **_: object) -> None:
        if not lost:
            lost.append(URLLib3Session().send(request))
            raise ConnectionClosedError(endpoint_url=request.url)

    store._client.meta.events.register("before-send.s3.CompleteMultipartUpload", lose)
    data = put_large(store)
    assert lost[0].status_code == 200
    assert read(store, KEY) == data


def test_an_upload_that_a_collector_ends_is_not_taken_for_what_was_there(
    server: BucketServer, bucket: str
) -> None:
    """Damaged bytes, as many as the right ones."""
    store, collecting = opened(server, bucket), opened(server, bucket)
    server.client().put_object(Bucket=bucket, Key=f"blobs/{KEY}", Body=bytes(LARGE))

    def end(**_: object) -> None:
        for leftover in list(collecting.leftovers(SOON)):
            collecting.sweep(leftover)

    store._client.meta.events.register("before-call.s3.CompleteMultipartUpload", end)
    with pytest.raises(Unavailable):
        put_large(store)
    store._client.meta.events.unregister("before-call.s3.CompleteMultipartUpload", end)
    data = put_large(store)
    assert read(store, KEY) == data


def test_an_upload_that_was_killed_is_a_leftover_only_when_it_is_old(
    server: BucketServer, bucket: str
) -> None:
    begun = server.client().create_multipart_upload(Bucket=bucket, Key=f"blobs/{KEY}")
    server.client().upload_part(
        Bucket=bucket, Key=f"blobs/{KEY}", UploadId=begun["UploadId"], PartNumber=1, Body=b"x" * 5 * MIB
    )
    store = opened(server, bucket)
    assert list(store.leftovers(datetime.now(UTC) - timedelta(hours=1))) == []
    (leftover,) = store.leftovers(SOON)
    assert names(store) == []
    store.sweep(leftover)
    store.sweep(leftover)
    assert list(store.leftovers(SOON)) == []


@pytest.mark.thorough
def test_a_store_that_falls_silent_is_unavailable(server: BucketServer, bucket: str, cable: Cable) -> None:
    store = through(cable, server, bucket, read_seconds="2")
    store.verify()
    cable.silent = True
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store.put(KEY, b"data")
    with pytest.raises(Unavailable):
        store.stat(KEY)
    assert time.monotonic() - began < 20


def test_a_short_cut_is_tried_again_before_anybody_notices(
    server: BucketServer, bucket: str, cable: Cable
) -> None:
    store = through(cable, server, bucket, attempts="4")
    store.put(KEY, b"data")
    cable.cut()
    assert read(store, KEY) == b"data"


def test_a_blob_that_stops_in_the_middle_is_unavailable(
    server: BucketServer, bucket: str, cable: Cable
) -> None:
    store = through(cable, server, bucket)
    put_large(store)
    with store.open(KEY, 0) as blob:
        assert len(blob.read(10)) == 10
        cable.bytes_left = 2 * MIB
        with pytest.raises(Unavailable):
            blob.read()


def test_two_sites_in_one_bucket_know_nothing_of_each_other(server: BucketServer, bucket: str) -> None:
    one, two = opened(server, bucket, prefix="one"), opened(server, bucket, prefix="/one/two/")
    one.put(KEY, b"1")
    two.put(KEY, b"2")
    assert (read(one, KEY), read(two, KEY)) == (b"1", b"2")
    assert (names(one), names(two)) == ([KEY], [KEY])
    one.delete(KEY)
    assert read(two, KEY) == b"2"


def test_an_object_whose_name_no_key_has_is_no_blob(server: BucketServer, bucket: str) -> None:
    """Consoles put a marker where they show a folder. What is listed is looked at and removed by its key."""
    store = opened(server, bucket)
    store.put(KEY, b"kept")
    for stray in ("", "demo/", "demo//x", "demo\\x"):
        server.client().put_object(Bucket=bucket, Key=f"blobs/{stray}", Body=b"")
    assert names(store) == [KEY]


def test_objects_are_encrypted_as_the_settings_say(
    localstack: BucketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in localstack.credentials().items():
        monkeypatch.setenv(name, value)
    bucket = localstack.fresh()
    store = opened(localstack, bucket, encryption="aws:kms:alias/mine")
    store.put("a/small", b"data")
    put_large(store)
    for key in ("a/small", KEY):
        found = localstack.client().head_object(Bucket=bucket, Key=f"blobs/{key}")
        assert found["ServerSideEncryption"] == "aws:kms"
        assert "alias/mine" in found["SSEKMSKeyId"]


# -- addresses ----------------------------------------------------------------------------


def address_of(store: S3Store, filename: str = "demo-1.0-py3-none-any.whl") -> str:
    elsewhere = store.elsewhere(KEY, filename=filename)
    assert isinstance(elsewhere, Elsewhere)
    assert not elsewhere.internal
    return elsewhere.address


def test_whoever_has_an_address_gets_the_blob_with_its_name_and_type(
    server: BucketServer, bucket: str
) -> None:
    store = opened(server, bucket)
    store.put(KEY, b"0123456789")
    answer = requests.get(address_of(store, "dêmo 1.whl"), timeout=10)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''d%C3%AAmo%201.whl"
    part = requests.get(address_of(store), headers={"Range": "bytes=2-4"}, timeout=10)
    assert (part.status_code, part.content) == (206, b"234")


def test_clients_may_get_to_the_store_by_another_address(
    server: BucketServer, bucket: str, cable: Cable
) -> None:
    public = f"http://localhost:{server.port}"
    store = through(cable, server, bucket, public_endpoint_url=public)
    store.put(KEY, b"0123456789")
    address = address_of(store)
    assert address.startswith(f"{public}/{bucket}/")
    asked = cable.asked
    assert requests.get(address, timeout=10).content == b"0123456789"
    assert cable.asked == asked


def test_an_address_is_good_for_its_time_and_for_its_blob(server: BucketServer, bucket: str) -> None:
    store = opened(server, bucket, url_seconds="2")
    store.put(KEY, b"data")
    store.put(f"{KEY}.json", b"{}")
    address = address_of(store)
    assert requests.get(address, timeout=10).status_code == 200
    assert requests.get(address.replace(f"{KEY}?", f"{KEY}.json?"), timeout=10).status_code == 403
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["2"]
    time.sleep(3.5)
    assert requests.get(address, timeout=10).status_code == 403


def test_a_store_that_is_asked_to_sends_nobody_elsewhere(server: BucketServer, bucket: str) -> None:
    assert opened(server, bucket, downloads="proxy").elsewhere(KEY, filename="x") is None


# -- what is said at the start ------------------------------------------------------------


def refusal(store: S3Store, kind: type[WarehouseError] = Misconfigured) -> str:
    with pytest.raises(kind) as caught:
        store.verify()
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_bucket_that_is_not_there_is_said_and_init_makes_it(server: BucketServer) -> None:
    store = opened(server, f"new-{os.urandom(4).hex()}")
    assert "there is no such bucket; 'warehouse14 init' makes it" in refusal(store)
    store.prepare()
    store.prepare()
    store.verify()
    store.put(KEY, b"data")


@pytest.mark.registry
@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_credentials_are_said(
    swift: BucketServer, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    bucket = swift.fresh()
    for name, value in (swift.credentials() | {variable: "wrong"}).items():
        monkeypatch.setenv(name, value)
    assert "the credentials that boto3 finds are wrong or have expired" in refusal(opened(swift, bucket))


@pytest.mark.parametrize("named", [False, True])
def test_of_credentials_that_are_missing_it_is_said_where_they_are_looked_for(
    localstack: BucketServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: bool
) -> None:
    for name in (*localstack.credentials(), "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".aws/credentials"
    if named:
        file = tmp_path / "named"
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    said = refusal(opened(localstack, "any-bucket"))
    assert "boto3 finds no credentials: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said
    assert f"not in {file} " in said
    assert "docs/deploy/s3.md" in said


@pytest.mark.registry
def test_a_clock_that_is_wrong_is_said(swift: BucketServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in swift.credentials().items():
        monkeypatch.setenv(name, value)
    bucket = swift.fresh()
    store = opened(swift, bucket)
    late = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=2)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: late)
    assert "the clock of this machine is not that of the store" in refusal(store)


def test_a_store_that_is_not_there_is_said(server: BucketServer, bucket: str) -> None:
    """It may only come up later than we do."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    store = opened(server, bucket, endpoint_url=endpoint, attempts="1")
    assert endpoint in refusal(store, Unavailable)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "warehouse14.files.bucket is not set"),
        ({"bucket": "b", "downloads": "none"}, "'none' is not one of proxy, redirect"),
        ({"bucket": "b", "url_seconds": "0"}, "a whole number from 1 to 604800"),
        ({"bucket": "b", "encryption": "rot13"}, "is not one of AES256, aws:kms, aws:kms:KEY"),
        ({"bucket": "b", "endpoint_url": "minio:9000"}, "is not an http or https address"),
        ({"bucket": "b", "public_endpoint_url": "files.example.org"}, "is not an http or https address"),
        ({"bucket": "b", "prefix": "a//b"}, "is not a path such as packages/"),
    ],
)
def test_a_setting_that_is_wrong_is_said(keys: dict[str, str], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        s3.file_store(Section("warehouse14.files.", keys))
    assert says in str(caught.value)


@pytest.mark.parametrize("key", ["endpoint_url", "public_endpoint_url"])
@pytest.mark.parametrize(
    "address", ["http://me:TopSecret@files.example.org", "me:TopSecret@files", "http://me:TopSecret@[::1"]
)
def test_an_address_with_a_password_is_refused_and_not_shown(key: str, address: str) -> None:
    with pytest.raises(SettingError) as caught:
        s3.file_store(Section("warehouse14.files.", {"bucket": "b", key: address}))
    assert f"warehouse14.files.{key} has a name or a password" in str(caught.value)
    assert "TopSecret" not in str(caught.value)


def test_a_site_without_a_bucket_does_not_import_boto3() -> None:
    code = (
        "import sys; from warehouse14.bootstrap import open_warehouse; from warehouse14.web import main;"
        "open_warehouse({'metadata': 'memory', 'files': 'memory'}).close();"
        "main({}, **{'warehouse14.metadata': 'memory', 'warehouse14.files': 'memory'});"
        "print({'boto3', 'botocore', 'psycopg', 'pymysql'} & set(sys.modules) or 'none of them')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "none of them"


def test_a_window_is_a_file_of_its_own() -> None:
    from warehouse14.adapters.s3.parts import Window

    window = Window(io.BytesIO(b"0123456789"), 2, 5)
    assert window.read() == b"23456"
    assert window.read() == b""
    window.seek(-2, io.SEEK_END)
    assert window.read(9) == b"56"
    assert window.seek(1) == window.tell() == 1
    assert window.read(2) == b"34"
