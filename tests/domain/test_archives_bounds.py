"""Archives that would fill a disk, a memory or an afternoon."""

import gzip
import io
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from warehouse14.domain.archives import bounds, inspect_archive
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import project_name
from warehouse14.testing.builders import (
    BuiltFile,
    build_sdist,
    build_wheel,
    core_metadata,
    record_of,
    wheel_member,
    zip_bytes,
)

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


@contextmanager
def little_time(limit=3):
    start = time.process_time()
    yield
    spent = time.process_time() - start
    assert spent < limit, f"{spent:.1f} seconds of the processor"


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


def test_a_tar_archive_has_ten_thousand_gzip_members_at_most():
    built, empty = build_sdist("foo", "1.0"), gzip.compress(b"", mtime=0)
    most = replace(built, content=built.content + empty * (bounds.MAX_GZIP_MEMBERS - 1))
    inspect(most)
    refused_in_little_memory(replace(most, content=most.content + empty), "more than the 10000 gzip members")


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
    monkeypatch.setattr("warehouse14.domain.archives.record.MAX_RECORD_SURPLUS", 8 * MIB)
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


def wheel(*, metadata=None, after_record=b""):
    info = "foo-1.0.dist-info"
    members = {"foo.py": b"", f"{info}/WHEEL": wheel_member()}
    members[f"{info}/METADATA"] = metadata or core_metadata("foo", "1.0")
    members[f"{info}/RECORD"] = record_of(members, f"{info}/RECORD") + after_record
    return BuiltFile("foo-1.0-py3-none-any.whl", zip_bytes(members), FileType.WHEEL)


def refused_in_little_time(built, problem):
    assert len(built.content) < MIB
    with little_time(), pytest.raises(Rejected, match=problem):
        inspect(built)


def tar_header(name, kind=b"0", size=0):
    header = bytearray(512)
    header[: len(name)] = name
    header[124:136] = b"%011o\0" % size
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % (sum(header) + 8 * 32)
    return bytes(header)


def extended(data=b"", kind=b"x"):
    return tar_header(b"pax", kind, len(data)) + data + bytes(-len(data) % 512)


def tar_member(number):
    return tar_header(b"foo-1.0/%d" % number)


def sdist_after(*blocks):
    tar = gzip.decompress(build_sdist("foo", "1.0").content)
    content = gzip.compress(b"".join(blocks) + tar, compresslevel=6, mtime=0)
    return BuiltFile("foo-1.0.tar.gz", content, FileType.SDIST)


def test_blank_lines_after_a_record_are_refused_beyond_the_first_few():
    inspect(wheel(after_record=b"\r\n\n\n"))
    refused_in_little_time(wheel(after_record=b"\n" * 16_000_000), "RECORD': it has more lines than")


def test_a_pax_header_of_many_records_is_refused():
    record = b"6 a=b\n"
    inspect(sdist_after(extended(record * bounds.MAX_PAX_RECORDS)))
    many = extended(record * (bounds.MIB // len(record)))
    refused_in_little_time(sdist_after(many * 16), "a pax header of more than 1000 records")


def test_many_pax_headers_of_some_records_are_refused():
    header = extended(b"6 a=b\n" * bounds.MAX_PAX_RECORDS)
    blocks = (header + tar_member(number) for number in range(2700))
    refused_in_little_time(sdist_after(*blocks), "more than 200000 in all")


def test_many_extended_headers_before_one_member_are_refused():
    inspect(sdist_after(extended() * bounds.MAX_TAR_HEADERS_OF_MEMBER))
    refused_in_little_time(sdist_after(extended() * 120_000), "a member with more than 8 extended headers")


def test_long_extended_headers_count_for_their_member_and_for_the_archive():
    half = extended(b"x" * (bounds.MAX_TAR_HEADER // 2), b"L")
    refused_in_little_time(sdist_after(half, half, extended(b"x", b"K")), "extended header of more than")
    long = extended(b"foo-1.0/x".ljust(bounds.MAX_TAR_HEADER, b"\0"), b"L")
    blocks = (
        extended((b"foo-1.0/%d" % number).ljust(bounds.MAX_TAR_HEADER, b"\0"), b"L") + tar_member(number)
        for number in range(bounds.MAX_TAR_HEADERS // bounds.MAX_TAR_HEADER)
    )
    refused_in_little_time(sdist_after(*blocks, long), "or of more than 16777216 for all")


def test_empty_members_up_to_the_limit_take_little_time():
    built = sdist_after(*map(tar_member, range(bounds.MAX_MEMBERS - 10)))
    with little_time(5):
        inspect(built)
    refused_in_little_time(sdist_after(*map(tar_member, range(99_000))), "more than the 50000 members")


def test_extended_headers_count_towards_the_headers_of_an_archive(monkeypatch):
    blocks = [extended() + tar_member(number) for number in range(10)]
    inspect(sdist_after(*blocks))
    monkeypatch.setattr("warehouse14.domain.archives.tarstream.MAX_TAR_BLOCKS", 20)
    with pytest.raises(Rejected, match="more than the 20 headers"):
        inspect(sdist_after(*blocks))


def test_deep_names_behind_a_symbolic_link_take_little_time():
    def blocks(depth, count):
        info = tarfile.TarInfo("foo-1.0/link")
        info.type, info.linkname = tarfile.SYMTYPE, "x"
        yield info.tobuf()
        for number in range(count):
            folders = (b"a" * (900 // depth - 1) + b"/") * (depth - 1)
            yield extended(b"foo-1.0/%s%d" % (folders, number), b"L") + tar_header(b"x")

    built = sdist_after(*blocks(40, 7_000))
    with little_time():
        inspect(built)
    refused_in_little_time(sdist_after(*blocks(400, 7_000)), "more than 40 folders")


@pytest.mark.parametrize("lines", [b"\n a" * 340_000, b"\r |" * 300_000])
def test_header_fields_of_many_lines_are_refused(lines):
    start = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nKeywords: a"
    inspect(wheel(metadata=start + lines[: 3 * 40_000] + b"\n"))
    built = wheel(metadata=start + lines + b"\n")
    with little_time(1), pytest.raises(Rejected, match="more than 50000 lines"):
        inspect(built)
