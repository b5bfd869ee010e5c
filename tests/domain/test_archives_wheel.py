import io
import time

import pytest

from warehouse14.domain.archives import inspect_archive
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, project_name
from warehouse14.testing.builders import (
    BuiltFile,
    build_wheel,
    core_metadata,
    record_of,
    wheel_member,
    zip_bytes,
)

INFO = "foo-1.0.dist-info"
RECORD = f"{INFO}/RECORD"


def members(info=INFO, *, tag="py3-none-any"):
    return {
        "foo.py": b"print()",
        f"{info}/METADATA": core_metadata("foo", "1.0"),
        f"{info}/WHEEL": wheel_member(tag),
    }


def inspect(content, *, filename="foo-1.0-py3-none-any.whl", project="foo"):
    return inspect_archive(
        io.BytesIO(content), FileName(filename), FileType.WHEEL, project=project_name(project), version=None
    )


def inspect_members(found, *, record=None, **options):
    listed = record_of(found, RECORD) if record is None else record
    return inspect(zip_bytes({**found, RECORD: listed}), **options)


def test_a_built_wheel_passes():
    built = build_wheel("foo", "1.0", requires_dist=["bar"], extra_members={"foo/data,1.txt": b"x"})
    assert b"Requires-Dist: bar" in inspect(built.content).metadata


def test_a_built_wheel_has_the_same_bytes_every_time():
    assert build_wheel("foo", "1.0") == build_wheel("foo", "1.0")


@pytest.mark.parametrize(
    "extra", ["foo/", "foo/gr\u00fc\u00df.txt", "foo-1.0.data/scripts/run", f"{INFO}/licenses/L"]
)
def test_folders_and_unicode_names_pass(extra):
    inspect_members({**members(), extra: b""})


def test_a_vendored_dist_info_further_down_does_not_count():
    inspect_members({**members(), "foo/_vendor/bar-2.0.dist-info/METADATA": b""})


@pytest.mark.parametrize("info", ["Foo-1.0.dist-info", "foo-1.0.0.dist-info", "foo-1.dist-info"])
def test_a_dist_info_folder_spelled_otherwise_passes(info):
    found = members(info)
    inspect(zip_bytes({**found, f"{info}/RECORD": record_of(found, f"{info}/RECORD")}))


@pytest.mark.parametrize("info", ["bar-1.0.dist-info", "foo-1.1.dist-info", "foo.dist-info", "-.dist-info"])
def test_a_dist_info_folder_of_something_else_is_refused(info):
    found = members(info)
    with pytest.raises(Rejected, match=r"must be named after foo and 1.0"):
        inspect(zip_bytes({**found, f"{info}/RECORD": record_of(found, f"{info}/RECORD")}))


@pytest.mark.parametrize("second", ["bar-1.0.dist-info/METADATA", "Foo-1.DIST-INFO/x"])
def test_a_second_dist_info_folder_is_refused(second):
    with pytest.raises(Rejected, match="exactly one folder"):
        inspect_members({**members(), second: b""})


def test_a_wheel_without_dist_info_is_refused():
    with pytest.raises(Rejected, match=r"exactly one folder NAME-VERSION.dist-info, but has none"):
        inspect(zip_bytes({"foo.py": b""}))


@pytest.mark.parametrize("name", ["METADATA", "WHEEL", "RECORD"])
def test_a_wheel_without_a_required_member_is_refused(name):
    found = {**members(), RECORD: b""}
    del found[f"{INFO}/{name}"]
    with pytest.raises(Rejected, match=f"has no 'foo-1.0.dist-info/{name}'"):
        inspect(zip_bytes(found))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"Tag: py3-none-any\n", "Wheel-Version"),
        (b"Wheel-Version: 2.0\nTag: py3-none-any\n", "must be 1.x"),
        (b"Wheel-Version: 1.0\nWheel-Version: 1.0\nTag: py3-none-any\n", "must have one Wheel-Version"),
        (b"Wheel-Version: 1.0\n", "lacks a Tag"),
        (b"Wheel-Version: 1.0\nTag: py2-none-any\n", "'py2-none-any' is not in the file name"),
        (b"Wheel-Version: 1.0\nTag: py3-none-any\nTag: py2-none-any\n", "is not in the file name"),
        (b"Wheel-Version: 1.0\nTag: nonsense\n", "'nonsense' is not in the file name"),
        (b"Wheel-Version: 1.0\nTag: " + b"-".join([b"a." * 9000 + b"a"] * 3), "is not in the file name"),
        (b"Wheel-Version: 1.0\nTag: \xff", "not UTF-8"),
        (b"\n" * 70_000, "larger than the 65536 bytes"),
    ],
)
def test_a_faulty_wheel_member_is_refused(data, problem):
    with pytest.raises(Rejected, match=problem):
        inspect_members({**members(), f"{INFO}/WHEEL": data})


def test_the_tags_of_a_compressed_tag_set_may_be_listed_in_any_way():
    tag = "cp310.cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64"
    filename = f"foo-1.0-{tag}.whl"
    inspect_members(members(tag=tag), filename=filename)
    for lines in (tag.upper(), tag):
        wheel = f"Wheel-Version: 1.9\r\nTag: {lines}\r\n".encode()
        inspect_members({**members(), f"{INFO}/WHEEL": wheel}, filename=filename)
    with pytest.raises(Rejected, match="lacks a Tag"):
        inspect_members(members(tag=tag.replace("cp310.", "")), filename=filename)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_record_with_a_strong_digest_passes(algorithm):
    inspect_members(members(), record=record_of(members(), RECORD, algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "blake2b"])
def test_a_record_with_another_digest_is_refused(algorithm):
    with pytest.raises(Rejected, match="has no hash by sha256, sha384 or sha512"):
        inspect_members(members(), record=record_of(members(), RECORD, algorithm=algorithm))


def test_a_record_may_leave_out_itself_and_the_signatures():
    found = {**members(), f"{RECORD}.jws": b"{}", f"{RECORD}.p7s": b""}
    inspect_members(found, record=record_of(members(), RECORD).replace(f"{RECORD},,\n".encode(), b""))


def edited(old, new):
    record = record_of(members(), RECORD)
    assert old in record
    return record.replace(old, new)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (record_of({**members(), "x.py": b""}, RECORD), "lists 'x.py', which is not in the wheel"),
        (b"\n".join(record_of(members(), RECORD).splitlines()[1:]), "does not list 'foo.py'"),
        (record_of(members(), RECORD) * 2, "lists 'foo.py' more than once"),
        (record_of({**members(), "foo.py": b"PRINT()"}, RECORD), "but RECORD lists 'sha256="),
        (edited(b",7\n", b",8\n"), "says '8' bytes for 'foo.py', which has 7"),
        (edited(b",7\n", b",seven\n"), "says 'seven' bytes"),
        (edited(b",7\n", b"\n"), "has 2 fields"),
        (edited(b"foo.py,sha256=", b"foo.py,,"), "has 4 fields"),
        (edited(b"RECORD,,", b"RECORD,sha256=abc,"), "a hash of itself"),
        (b"foo.py,,7\n", "'foo.py' has no hash"),
        (b"\xff,,\n", "not UTF-8"),
        (b'"foo', "'foo"),
        (b"x" * 9000, "a line of more than"),
        (b"foo\rpy,,\n", "not CSV"),
        (b'"' + b"x\n" * 100_000, "more lines than the wheel has files"),
        (b"", "does not list 'foo.py'"),
    ],
)
def test_a_record_that_does_not_fit_the_members_is_refused(record, problem):
    with pytest.raises(Rejected, match=problem):
        inspect_members(members(), record=record)


def test_every_message_names_the_file():
    with pytest.raises(Rejected, match=r"foo-1.0-py3-none-any.whl") as caught:
        inspect(b"not a zip file")
    assert caught.value.field == "content"
    assert str(caught.value).isascii()


def test_a_small_wheel_is_inspected_within_milliseconds():
    built = build_wheel("foo", "1.0", extra_members={"foo/a.py": b"x" * 5000})
    took = []
    for _ in range(20):
        start = time.perf_counter()
        inspect(built.content)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02


def test_the_stream_may_stand_anywhere():
    built = build_wheel("foo", "1.0")
    stream = io.BytesIO(built.content)
    stream.seek(7)
    found = inspect_archive(stream, built.filename, built.filetype, project=project_name("foo"), version=None)
    assert isinstance(built, BuiltFile)
    assert found.project == "foo"
