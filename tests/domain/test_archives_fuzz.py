"""Whatever the bytes are, an archive is inspected or refused, and nothing else happens."""

import gzip
import io
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse14.domain.archives import inspect_archive, parse_file_name
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, project_name
from warehouse14.testing.builders import (
    BuiltFile,
    build_sdist,
    build_wheel,
    record_of,
    wheel_member,
    zip_bytes,
)

WHEEL = build_wheel("foo", "1.0", requires_python=">=3.8", extra_members={"foo/b.txt": b"b" * 300})
TAR = build_sdist("foo", "1.0", requires_python=">=3.8", extra_members={"gr\u00fcn/" + "x" * 120: b"b" * 300})
ZIP = build_sdist("foo", "1.0", extension=".zip", extra_members={"b/": b""})
PLAIN_TAR = gzip.decompress(TAR.content)

ENDINGS = st.sampled_from(["-py3-none-any.whl", ".tar.gz", ".zip", ".whl"])
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=8)), min_size=1, max_size=6
)


def inspected(built, content):
    """Whether ``content`` passes in the place of ``built``; anything but a refusal propagates."""
    try:
        inspect_archive(
            io.BytesIO(content), built.filename, built.filetype, project=project_name("foo"), version=None
        )
    except Rejected as error:
        check_message(error, built.filename)
        return False
    return True


def check_message(error, filename):
    assert str(error).isascii()
    assert "\n" not in str(error)
    assert filename in str(error)


def edited(content, edits):
    """``content`` with some bytes replaced, removed and inserted."""
    for position, removed, inserted in edits:
        at = position % (len(content) + 1)
        content = content[:at] + inserted + content[at + removed :]
    return content


@pytest.mark.parametrize("built", [WHEEL, TAR, ZIP], ids=["wheel", "tar", "zip"])
def test_the_unedited_archives_pass(built):
    assert inspected(built, built.content)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from([WHEEL, TAR, ZIP]), EDITS)
def test_edited_archives_pass_or_are_refused(built, edits):
    inspected(built, edited(built.content, edits))


@settings(max_examples=300, deadline=None)
@given(EDITS)
def test_edited_tar_headers_pass_or_are_refused(edits):
    inspected(TAR, gzip.compress(edited(PLAIN_TAR, edits)))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(PLAIN_TAR) // 512 - 1), EDITS)
def test_edited_tar_headers_with_a_right_checksum_pass_or_are_refused(block, edits):
    header = edited(PLAIN_TAR[block * 512 : block * 512 + 512], edits)[:512].ljust(512, b"\0")
    checksum = sum(header[:148]) + sum(header[156:]) + 8 * 32
    header = header[:148] + f"{checksum:06o}\0 ".encode() + header[156:]
    inspected(TAR, gzip.compress(PLAIN_TAR[: block * 512] + header + PLAIN_TAR[block * 512 + 512 :]))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([WHEEL, TAR, ZIP]), st.binary(max_size=600))
def test_random_bytes_are_refused(built, content):
    assert not inspected(built, content)
    assert not inspected(built, built.content[:30] + content)
    assert not inspected(built, content + ZIP.content[-22:])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([WHEEL, TAR, ZIP]), st.data())
def test_every_beginning_of_an_archive_is_refused(built, data):
    length = data.draw(st.integers(0, len(built.content) - 1))
    assert not inspected(built, built.content[:length])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["METADATA", "WHEEL", "RECORD"]), EDITS | st.binary(max_size=300))
def test_edited_members_of_the_dist_info_folder_pass_or_are_refused(name, change):
    info = "foo-1.0.dist-info"
    metadata = b"Metadata-Version: 2.2\nName: foo\nVersion: 1.0\nRequires-Python: >=3\nSummary: s\n\nText\n"
    members = {f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel_member()}
    target = f"{info}/{name}"
    if name == "RECORD":
        members[target] = record_of(members, target)
    members[target] = change if isinstance(change, bytes) else edited(members[target], change)
    members.setdefault(f"{info}/RECORD", record_of(members, f"{info}/RECORD"))
    inspected(WHEEL, zip_bytes(members))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_deflate_data_is_refused_or_unpacked(data):
    raw = zlib.compressobj(wbits=31)
    inspected(TAR, raw.compress(data) + raw.flush())
    inspected(TAR, TAR.content[:10] + data)


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(FileType),
    st.text(max_size=60) | st.builds("foo-{}{}".format, st.text("0129.+!_-acpost", max_size=20), ENDINGS),
)
def test_any_file_name_is_parsed_or_refused(filetype, name):
    try:
        claimed = parse_file_name(FileName(name), filetype, project=project_name("foo"), version=None)
    except Rejected as error:
        check_message(error, "")
    else:
        assert claimed.project == "foo"


def test_an_error_of_the_stream_is_not_disguised():
    class Broken(io.BytesIO):
        def read(self, size=-1, /):
            raise OSError("the disk is gone")

    for built in (WHEEL, TAR, ZIP):
        assert isinstance(built, BuiltFile)
        with pytest.raises(OSError, match="the disk is gone"):
            inspect_archive(
                Broken(built.content),
                built.filename,
                built.filetype,
                project=project_name("foo"),
                version=None,
            )
