import io

import pytest
from packaging.version import Version

from warehouse14.domain.archives import inspect_archive
from warehouse14.domain.archives.bounds import MAX_FIELDS, MAX_METADATA
from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import project_name
from warehouse14.testing.builders import (
    BuiltFile,
    build_sdist,
    build_wheel,
    record_of,
    wheel_member,
    zip_bytes,
)

INFO = "foo-1.0.dist-info"
GOOD = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\n"


def inspect(built: BuiltFile, project="foo", version=None):
    return inspect_archive(
        io.BytesIO(built.content),
        built.filename,
        built.filetype,
        project=project_name(project),
        version=version and Version(version),
    )


def wheel_with(metadata: bytes) -> BuiltFile:
    members = {f"{INFO}/METADATA": metadata, f"{INFO}/WHEEL": wheel_member()}
    members[f"{INFO}/RECORD"] = record_of(members, f"{INFO}/RECORD")
    valid = build_wheel("foo", "1.0")
    return BuiltFile(valid.filename, zip_bytes(members), valid.filetype)


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"])
def test_every_published_metadata_version_is_taken(version):
    assert inspect(build_wheel("foo", "1.0", metadata_version=version)).version == Version("1.0")
    assert inspect(build_sdist("foo", "1.0", metadata_version=version)).version == Version("1.0")


@pytest.mark.parametrize("version", ["2.0", "2.7", "3.0", "", "2.10", "two", "2.1\n 2"])
def test_another_metadata_version_is_refused(version):
    with pytest.raises(Rejected, match=r"Metadata-Version in 'foo-1.0.dist-info/METADATA'.*2.1"):
        inspect(build_wheel("foo", "1.0", metadata_version=version))


@pytest.mark.parametrize("field", [b"Summary: a\0b", b"Keywords: a\n \0", b"\0: a"])
def test_a_nul_character_in_a_field_is_refused(field):
    with pytest.raises(Rejected, match=r"fields in 'foo-1\.0.*METADATA': there is a NUL character"):
        inspect(wheel_with(GOOD + field + b"\n"))


@pytest.mark.parametrize(
    "field",
    [b"Name: foo", b"name: foo", b"Version: 1.0", b"Summary: b", b"Requires-Python: >=3",
     b"Author-email: a@b",      b"Keywords: a", b"License: MIT", b"Metadata-Version: 2.1"],
)  # fmt: skip
def test_a_single_use_field_given_twice_is_refused(field):
    once = GOOD if field.lower().split(b":")[0] in GOOD.lower() else GOOD + field + b"\n"
    inspect(wheel_with(once))
    with pytest.raises(Rejected, match="occurs more than once"):
        inspect(wheel_with(once + field + b"\n"))


def test_a_description_given_twice_is_refused():
    inspect(wheel_with(GOOD + b"Description: one\n        two\n"))
    with pytest.raises(Rejected, match="Description in"):
        inspect(wheel_with(GOOD + b"Description: one\n\nAnother.\n"))


@pytest.mark.parametrize("field", ["Name", "Version", "Metadata-Version"])
def test_a_required_field_that_is_missing_is_named(field):
    lines = [line for line in GOOD.splitlines() if not line.startswith(field.encode() + b":")]
    with pytest.raises(Rejected, match=f"{field} in 'foo-1.0.dist-info/METADATA'"):
        inspect(wheel_with(b"\n".join(lines)))


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"Name: foo", b"Name: -foo"),
        (b"Name: foo", b"Name: f\xc3\xb6\xc3\xb6"),
        (b"Name: foo", b"Name: foo\n bar"),
        (b"Version: 1.0", b"Version: one"),
        (b"Version: 1.0", b"Version: 1." + b"9" * 9000),
    ],
)
def test_an_invalid_name_or_version_is_refused(good, bad):
    with pytest.raises(Rejected, match=r"is not a (project name|version)"):
        inspect(wheel_with(GOOD.replace(good, bad)))


def test_a_version_that_no_store_keeps_is_refused_although_it_is_the_same():
    with pytest.raises(Rejected, match="more than 240 characters"):
        inspect(wheel_with(GOOD.replace(b"Version: 1.0", b"Version: 1" + b".0" * 200)))


def test_the_metadata_must_agree_with_the_file_name():
    with pytest.raises(Rejected, match="must be that of the project 'foo'"):
        inspect(wheel_with(GOOD.replace(b"foo", b"bar")))
    with pytest.raises(Rejected, match=r"is 2.0, but the file name says 1.0"):
        inspect(wheel_with(GOOD.replace(b"1.0", b"2.0")))
    assert inspect(wheel_with(GOOD.replace(b"Version: 1.0", b"Version: 1.0.0"))).version == Version("1.0")


def test_the_display_name_is_spelled_as_in_the_metadata():
    found = inspect(build_wheel("Foo.Bar", "1.0"), project="foo-bar")
    assert (found.display_name, found.project) == ("Foo.Bar", "foo-bar")


@pytest.mark.parametrize(("raw", "found"), [(">=3.8", ">=3.8"), (None, None), ("", None), ("UNKNOWN", None)])
def test_requires_python_is_taken_from_the_metadata(raw, found):
    assert inspect(build_wheel("foo", "1.0", requires_python=raw)).requires_python == found
    assert inspect(build_sdist("foo", "1.0", requires_python=raw)).requires_python == found


@pytest.mark.parametrize(
    "raw", ["3.8", ">=3.6.*", ">=3\n  , <4", ">=3\t,<4", ">= three", ">=3.8," * 400, ">=3.8\u00e9"]
)
def test_an_invalid_requires_python_is_refused(raw):
    with pytest.raises(Rejected, match="Requires-Python in"):
        inspect(build_wheel("foo", "1.0", requires_python=raw))


def test_the_summary_is_one_line_of_512_characters_at_most():
    folded = inspect(build_wheel("foo", "1.0", summary="one\n  two\x0bthree"))
    assert folded.summary == "one two three"
    assert inspect(build_wheel("foo", "1.0", summary="x" * 600)).summary == "x" * 512
    assert inspect(build_wheel("foo", "1.0", summary="UNKNOWN")).summary == ""
    assert inspect(build_wheel("foo", "1.0", summary="Gr\u00fc\u00dfe")).summary == "Gr\u00fc\u00dfe"


@pytest.mark.parametrize("where", [b"Summary: \xff\n", b"\nDescription \xff\n"])
def test_metadata_that_is_not_utf_8_is_refused(where):
    with pytest.raises(Rejected, match="not UTF-8"):
        inspect(wheel_with(GOOD + where))


@pytest.mark.parametrize(
    "extra",
    [
        b"Classifier: No :: Such\n",
        b"Home-page: nowhere\n",
        b"License: MIT\nLicense-Expression: MIT\n",
        b"Project-URL: a, b\nProject-URL: a, c\n",
        b"X-Unknown: 1\n",
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\n--x--\n",
        b"Content-Type: message/rfc822\n\n" * 3000,
    ],
)
def test_fields_that_the_index_does_not_rely_on_are_let_through(extra):
    assert inspect(wheel_with(GOOD + extra)).metadata == GOOD + extra


def test_line_ends_of_any_kind_are_understood():
    for end in (b"\r\n", b"\r"):
        assert inspect(wheel_with(GOOD.replace(b"\n", end) + end + b"Text." + end)).display_name == "foo"


def test_metadata_has_a_size_limit():
    with pytest.raises(Rejected, match="larger than"):
        inspect(wheel_with(GOOD + b"\n" + b"x" * MAX_METADATA))
    with pytest.raises(Rejected, match="put the description after them"):
        inspect(wheel_with(GOOD + b"Description: " + b"x" * MAX_FIELDS))


def test_the_exact_bytes_of_a_wheels_metadata_are_returned():
    data = GOOD.replace(b"\n", b"\r\n") + b"\r\nText without an end"
    assert inspect(wheel_with(data)).metadata == data


@pytest.mark.parametrize(
    ("metadata_version", "dynamic", "offered"),
    [
        ("2.1", (), False),
        ("2.2", (), True),
        ("2.4", ("Classifier", "License-File"), True),
        ("2.2", ("Requires-Dist",), False),
        ("2.3", ("requires-python",), False),
        ("2.6", ("PROVIDES-EXTRA", "Classifier"), False),
        ("1.0", (), False),
    ],
)
def test_a_sdist_offers_metadata_only_if_no_build_may_change_the_dependencies(
    metadata_version, dynamic, offered
):
    found = inspect(build_sdist("foo", "1.0", metadata_version=metadata_version, dynamic=dynamic))
    assert (found.metadata is not None) is offered
