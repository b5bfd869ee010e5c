"""Archives that would fill a disk, a memory or an afternoon."""

import gzip
import io
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager, suppress

import pytest

from warehouse14.domain.archives import bounds, inspect_archive
from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import project_name
from warehouse14.testing.builders import BuiltFile, build_sdist, build_wheel

MIB = bounds.MIB


@contextmanager
def memory_below(limit):
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit, f"{peak / MIB:.1f} MiB at the peak"


def inspect(built: BuiltFile):
    stream = io.BytesIO(built.content)
    return inspect_archive(stream, built.filename, built.filetype, project=project_name("foo"), version=None)


def refused_in_little_memory(built, problem):
    with memory_below(8 * MIB), pytest.raises(Rejected, match=problem):
        inspect(built)


@pytest.mark.parametrize("extension", [".whl", ".zip", ".tar.gz"])
def test_a_bomb_is_refused_in_little_memory(extension):
    body = bytes(bounds.BOMB_FLOOR + MIB)
    if extension == ".whl":
        built = build_wheel("foo", "1.0", body=body)
    else:
        built = build_sdist("foo", "1.0", body=body, extension=extension)
    assert len(built.content) < MIB
    del body
    refused_in_little_memory(built, "unpacks to more than 67108864 bytes")


@pytest.mark.parametrize("extension", [".whl", ".tar.gz"])
def test_what_unpacks_to_less_than_the_floor_may_be_as_dense_as_it_likes(extension):
    body = bytes(bounds.BOMB_FLOOR - MIB)
    wheel = extension == ".whl"
    built = build_wheel("foo", "1.0", body=body) if wheel else build_sdist("foo", "1.0", body=body)
    del body
    with memory_below(8 * MIB):
        inspect(built)


def test_a_header_that_understates_the_size_does_not_help_a_bomb():
    body = bytes(bounds.BOMB_FLOOR + MIB)
    content = build_sdist("foo", "1.0", body=body, extension=".zip").content
    doctored = content.replace(len(body).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    built = BuiltFile("foo-1.0.zip", doctored, build_sdist("foo", "1.0").filetype)
    refused_in_little_memory(built, "does not unpack to the size")


def test_the_budget_grows_with_the_file_up_to_the_cap():
    spend = bounds.Budget("foo", 10 * MIB).spend
    spend(500 * MIB)
    with pytest.raises(Rejected, match="unpacks to more than"):
        spend(1)
    with pytest.raises(Rejected, match="16 GiB at most"):
        bounds.Budget("foo", 5 * bounds.GIB).spend(bounds.MAX_UNPACKED + 1)


def test_a_pax_header_of_absurd_size_is_refused_in_little_memory():
    info = tarfile.TarInfo("foo-1.0/x")
    info.pax_headers = {"comment": "x" * (50 * MIB)}
    content = gzip.compress(info.tobuf(tarfile.PAX_FORMAT), compresslevel=1, mtime=0)
    del info
    refused_in_little_memory(
        BuiltFile("foo-1.0.tar.gz", content, build_sdist("foo", "1.0").filetype),
        "extended header of more than",
    )


def test_metadata_of_absurd_size_is_refused_in_little_memory():
    built = build_wheel("foo", "1.0", summary="x" * (50 * MIB))
    with memory_below(16 * MIB), pytest.raises(Rejected, match="larger than the 4194304 bytes"):
        inspect(built)


def test_metadata_of_the_largest_size_is_parsed_in_bounded_memory():
    lines = "\n ".join(["\U0001f40d" * 10] * 20_000)
    built = build_wheel("foo", "1.0", summary=f"{lines}\n\n" + "\U0001f40d" * 800_000)
    with memory_below(32 * MIB):
        inspect(built)


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Type: message/rfc822\n" * 9000,
        "X: =?a?q?\n" * 90_000,
        ":\n" * 400_000,
        "".join(f"{n}:\n" for n in range(90_000)),
        "".join(f"{n % 99}:\n" for n in range(19_000)),
    ],
)
def test_metadata_that_is_hard_to_parse_takes_no_afternoon(fields):
    start = time.monotonic()
    with suppress(Rejected):
        inspect(build_wheel("foo", "1.0", summary=f"\u00e9\n{fields}"))
    assert time.monotonic() - start < 10


def test_a_record_of_absurd_size_is_read_in_little_memory(monkeypatch):
    monkeypatch.setattr("warehouse14.domain.archives.record.MAX_RECORD", 2 * MIB)
    valid = build_wheel("foo", "1.0")
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(valid.content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(
                info, old.read(info) + (b"\n" * 4 * MIB if info.filename.endswith("RECORD") else b"")
            )
    refused_in_little_memory(
        BuiltFile(valid.filename, target.getvalue(), valid.filetype),
        "RECORD': it is larger than 2097152 bytes",
    )


def test_a_large_incompressible_wheel_is_inspected_in_little_memory():
    engine = zlib.compressobj(1)
    noise = (engine.compress(b"".join(n.to_bytes(5, "big") for n in range(400_000))) + engine.flush()) * 20
    built = build_wheel("foo", "1.0", body=noise)
    del noise
    with memory_below(4 * MIB):
        inspect(built)


def test_more_tar_members_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr("warehouse14.domain.archives.tarstream.MAX_MEMBERS", 3)
    inspect(build_sdist("foo", "1.0"))
    with pytest.raises(Rejected, match="more than the 3 members"):
        inspect(build_sdist("foo", "1.0", extra_members={"a": b"", "b": b""}))
