"""The ZIP rules, seen through a zipped sdist, whose other rules are few."""

import io
import struct
import zipfile
import zlib

import pytest

from warehouse14.domain.archives import inspect_archive
from warehouse14.domain.archives.bounds import MAX_MEMBERS
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, project_name
from warehouse14.testing.builders import build_sdist, core_metadata, zip_bytes

TOP = "foo-1.0"
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
PKG_INFO = {f"{TOP}/PKG-INFO": core_metadata("foo", "1.0")}
GOOD = {**PKG_INFO, f"{TOP}/a.py": b"a" * 100, f"{TOP}/b.py": b"b" * 100}


def inspect(content):
    return inspect_archive(
        io.BytesIO(content),
        FileName("foo-1.0.zip"),
        FileType.SDIST,
        project=project_name("foo"),
        version=None,
    )


def refused(content, problem):
    with pytest.raises(Rejected, match=problem):
        inspect(content)


class Pipe(io.BytesIO):
    """Takes bytes and cannot go back, so that the sizes must follow the data."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError

    def tell(self):
        raise OSError


def written(build, *, unseekable=False):
    """The bytes of a ZIP file that ``build`` writes after a PKG-INFO."""
    target = Pipe() if unseekable else io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{TOP}/PKG-INFO", PKG_INFO[f"{TOP}/PKG-INFO"])
        build(archive)
    return target.getvalue()


def patched(content, signature, offset, fmt, *values, which=1):
    """``content`` with a field of the ``which``-th record of a kind overwritten."""
    at = -1
    for _ in range(which + 1):
        at = content.index(signature, at + 1)
    new = struct.pack(fmt, *values)
    return content[: at + offset] + new + content[at + offset + len(new) :]


def test_a_built_zip_sdist_passes():
    built = build_sdist(
        "foo", "1.0", extension=".zip", extra_members={"docs/": b"", "docs/gr\u00fcn.txt": b"x"}
    )
    assert inspect(built.content).metadata is not None


def test_stored_members_and_a_comment_pass():
    def build(archive):
        archive.writestr(f"{TOP}/x", b"x" * 1000, compress_type=zipfile.ZIP_STORED)
        archive.writestr(f"{TOP}/empty", b"", compress_type=zipfile.ZIP_DEFLATED)
        archive.comment = b"made by hand"

    inspect(written(build))


def test_data_descriptors_pass():
    content = written(lambda archive: archive.writestr(f"{TOP}/x", b"x" * 1000), unseekable=True)
    assert b"PK\x07\x08" in content
    inspect(content)


def test_zip64_extras_pass():
    def build(archive):
        with archive.open(f"{TOP}/x", "w", force_zip64=True) as member:
            member.write(b"x" * 1000)

    inspect(written(build))
    inspect(written(build, unseekable=True))


def zip64_end(content, *, count=None, locator_disk=0, length=44, gap=b""):
    """``content`` with a ZIP64 end record, and the old one full or as it was."""
    at = content.rindex(END)
    *_, total, size, offset, _ = struct.unpack("<4s4H2LH", content[at : at + 22])
    count = total if count is None else count
    wide = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", length, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", locator_disk, at, 1)
    return content[:at] + wide + gap + locator + content[at:]


def test_a_zip64_end_record_passes():
    content = zip64_end(zip_bytes(GOOD))
    inspect(content)
    inspect(patched(content, END, 8, "<2H2L", 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, which=0))


@pytest.mark.parametrize("fault", [{"count": 2}, {"locator_disk": 1}, {"length": 45}, {"gap": b"hidden"}])
def test_a_zip64_end_record_that_is_wrong_is_refused(fault):
    refused(zip64_end(zip_bytes(GOOD), **fault), "ZIP64 end record")


def test_a_zip64_offset_beyond_the_file_is_refused():
    content = zip64_end(zip_bytes(GOOD))
    refused(patched(content, b"PK\x06\x07", 8, "<Q", 2**64 - 1, which=0), "its own records point to byte")


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (b"", b"\0", "exactly one end record at its very end"),
        (b"", b"trailing", "exactly one end record"),
        (b"#!/bin/sh\n", b"", "does not end where the end record begins"),
    ],
)
def test_bytes_around_the_archive_are_refused(before, after, problem):
    refused(before + zip_bytes(GOOD) + after, problem)


def test_bytes_before_the_first_member_are_refused_although_the_offsets_count_them():
    target = io.BytesIO(b"#!/bin/sh\n")
    target.seek(0, 2)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(f"{TOP}/PKG-INFO", core_metadata("foo", "1.0"))
    refused(target.getvalue(), "something precedes its first member")


def test_a_second_end_record_in_the_comment_is_refused():
    content = zip_bytes(GOOD)
    end = content[content.rindex(END) :]
    refused(content[:-2] + struct.pack("<H", len(end)) + end, "exactly one end record")


@pytest.mark.parametrize("content", [b"", b"PK", END, END + b"\0" * 17, LOCAL * 100, b"\0" * 70_000])
def test_what_is_no_zip_file_is_refused(content):
    refused(content, "exactly one end record")


def test_an_archive_without_members_is_refused():
    refused(END + b"\0" * 18, "has no PKG-INFO")


@pytest.mark.parametrize("offset", [4, 6])
def test_a_multi_volume_file_is_refused(offset):
    refused(patched(zip_bytes(GOOD), END, offset, "<H", 1, which=0), "multi-volume")


@pytest.mark.parametrize(
    ("offset", "fmt", "value"),
    [(6, "<H", 0x800), (6, "<H", 8), (8, "<H", 0), (14, "<L", 1), (18, "<L", 1), (22, "<L", 1),
     (30, "<c", b"x")],
)  # fmt: skip
def test_a_local_header_that_contradicts_the_directory_is_refused(offset, fmt, value):
    refused(
        patched(zip_bytes(GOOD), LOCAL, offset, fmt, value), r"a\.py' has a local header that contradicts"
    )


@pytest.mark.parametrize("signature", [LOCAL, CENTRAL])
def test_a_record_without_its_signature_is_refused(signature):
    refused(patched(zip_bytes(GOOD), signature, 0, "<4s", b"PK!!"), "contradicts|malformed")


def test_a_gap_between_members_is_refused():
    content = zip_bytes(GOOD)
    at = content.index(CENTRAL)
    hidden = content[:at] + b"hidden" + content[at:]
    refused(
        patched(hidden, END, 16, "<L", at + 6, which=0), r"b\.py' overlaps the next one, or something lies"
    )


def test_a_member_that_only_the_local_headers_know_is_refused():
    content = zip_bytes(GOOD)
    first, second = content.index(CENTRAL), content.index(CENTRAL, content.index(CENTRAL) + 1)
    third = content.index(CENTRAL, second + 1)
    end = content.rindex(END)
    count = struct.pack("<4s4H2LH", END, 0, 0, 2, 2, end - third + second - first, first, 0)
    refused(content[:second] + content[third:end] + count, "overlaps the next one, or something lies")


def test_members_that_overlap_are_refused():
    content = zip_bytes(GOOD)
    size = struct.unpack_from("<L", content, content.rindex(CENTRAL) + 20)[0]
    doctored = patched(patched(content, LOCAL, 18, "<L", size + 500), CENTRAL, 20, "<L", size + 500)
    refused(doctored, "overlaps the next one")


def test_two_entries_for_one_member_are_refused():
    content = zip_bytes(GOOD)
    offset = struct.unpack_from("<L", content, content.rindex(CENTRAL) + 42)[0]
    refused(patched(content, CENTRAL, 42, "<L", offset), "overlaps|contradicts")


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_wrong_number_of_entries_is_refused(count):
    refused(patched(zip_bytes(GOOD), END, 8, "<2H", count, count, which=0), "ZIP central directory")


def test_a_wrong_data_descriptor_is_refused():
    content = written(lambda archive: archive.writestr(f"{TOP}/x", b"x" * 1000), unseekable=True)
    refused(patched(content, b"PK\x07\x08", 4, "<L", 1), "something lies between")


@pytest.mark.parametrize("flag", [0x01, 0x20, 0x40, 0x2000])
def test_an_encrypted_member_is_refused(flag):
    refused(patched(zip_bytes(GOOD), CENTRAL, 8, "<H", flag), r"a\.py' is encrypted or a patch")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused(method):
    content = written(lambda archive: archive.writestr(f"{TOP}/x", b"x", compress_type=method))
    refused(content, f"compressed by method {method}; use 'stored' or 'deflate'")


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140777, 0o040755])
def test_a_link_device_or_misnamed_folder_is_refused(mode):
    refused(patched(zip_bytes(GOOD), CENTRAL, 38, "<L", mode << 16), r"a\.py' is a link, a device or")


def test_a_folder_with_contents_is_refused():
    content = written(lambda archive: archive.writestr(f"{TOP}/x-", b"content"))
    refused(content.replace(b"/x-", b"/x/"), "folder")


@pytest.mark.parametrize("member", ["a.py", "A.py", "a.py/"])
def test_a_name_that_is_taken_is_refused(member):
    taken = f"{TOP}/{member}"
    placeholder = f"{TOP}/" + "z" * len(member)
    found = zip_bytes({**GOOD, placeholder: b""}).replace(placeholder.encode(), taken.encode())
    if member.endswith("/"):
        found = patched(found, CENTRAL, 38, "<L", 0, which=3)
    refused(found, "is there more than once")


def test_a_name_that_unicode_can_spell_in_two_ways_is_taken():
    refused(zip_bytes({**GOOD, f"{TOP}/\u00e9": b"", f"{TOP}/e\u0301": b""}), "is there more than once")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (b"/etc/passwd", "absolute name"),
        (b"C:/x", "absolute name"),
        (b"foo-1.0/../../x", r"'\.\.' in its name"),
        (b"..", r"'\.\.' in its name"),
        (b"foo-1.0\\x", "backslash"),
        (b"foo-1.0/\x00x", "control character"),
        (b"foo-1.0/\nx", "control character"),
        (b"foo-1.0//x", "empty or '.' folder"),
        (b"foo-1.0/./x", "empty or '.' folder"),
        (b"./foo-1.0/x", "empty or '.' folder"),
        (b"x" * 1025, "more than 1024 characters"),
        (b"", "empty name"),
    ],
)
def test_an_unsafe_name_is_refused(name, problem):
    raw = core_metadata("foo", "1.0")
    local = struct.pack(
        "<4s5H3L2H", LOCAL, 20, 0, 0, 0, 33, zlib.crc32(raw), len(raw), len(raw), len(name), 0
    )
    entry = struct.pack("<4s6H3L5H2L", CENTRAL, 20, 20, 0, 0, 0, 33, zlib.crc32(raw), len(raw), len(raw),
                        len(name), 0, 0, 0, 0, 0, 0)  # fmt: skip
    body = local + name + raw
    refused(
        body + entry + name + struct.pack("<4s4H2LH", END, 0, 0, 1, 1, 46 + len(name), len(body), 0), problem
    )


def test_a_name_that_is_not_utf_8_although_it_says_so_is_refused():
    content = zip_bytes({**GOOD, f"{TOP}/\u00e9": b""})
    refused(content.replace("\u00e9".encode(), b"\xff\xff"), "not UTF-8")


def extra_member(extra):
    def build(archive):
        info = zipfile.ZipInfo(f"{TOP}/x")
        info.extra = extra
        archive.writestr(info, b"")

    return written(build)


def test_extra_fields_pass():
    name = f"{TOP}/x".encode()
    inspect(extra_member(struct.pack("<2H4s", 0x5455, 4, b"time")))
    path = b"\x01" + struct.pack("<L", zlib.crc32(name)) + name
    inspect(extra_member(struct.pack("<2H", 0x7075, len(path)) + path))


@pytest.mark.parametrize(
    "extra",
    [
        struct.pack("<2H", 0x5455, 4),
        struct.pack("<2H", 0x5455, 0) * 2,
        struct.pack("<2H", 0x7075, 6) + b"\x01\0\0\0\0y",
        struct.pack("<2H", 0x7075, 0),
    ],
)
def test_malformed_or_renaming_extra_fields_are_refused(extra):
    refused(extra_member(extra), "malformed extra fields, or another name")


def test_a_wrong_crc_or_size_is_refused():
    content = zip_bytes(GOOD)
    wrong_crc = patched(patched(content, LOCAL, 14, "<L", 1), CENTRAL, 16, "<L", 1)
    refused(wrong_crc, "does not unpack to the size and CRC-32")
    for size in (99, 101, 0):
        wrong_size = patched(patched(content, LOCAL, 22, "<L", size), CENTRAL, 24, "<L", size)
        refused(wrong_size, "does not unpack to the size and CRC-32")


def test_damaged_or_incomplete_compressed_data_is_refused():
    content = zip_bytes(GOOD)
    at = content.index(b"a.py") + 4
    refused(content[:at] + b"\xff" + content[at + 1 :], "cannot be unpacked")
    packed = struct.unpack_from("<L", content, content.index(LOCAL, 1) + 18)[0]
    refused(
        content[:at] + b"\x01\0\0\xff\xff".ljust(packed, b"x") + content[at + packed :],
        "ends before or after",
    )


def test_more_members_than_the_limit_are_refused():
    refused(zip64_end(zip_bytes(GOOD), count=MAX_MEMBERS + 1), "contradicts")
    full = patched(zip_bytes(GOOD), END, 8, "<2H", 0xFFFF, 0xFFFF, which=0)
    refused(zip64_end(full, count=MAX_MEMBERS + 1), "too many members")
