import gzip
import io
import tarfile

import pytest

from warehouse14.domain.archives import inspect_archive
from warehouse14.domain.archives.bounds import MAX_TAR_HEADER
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, project_name
from warehouse14.testing.builders import build_sdist, core_metadata, tar_gz_bytes, zip_bytes

TOP = "foo-1.0"
PKG_INFO = core_metadata("foo", "1.0")


def gz(content):
    return gzip.compress(content, mtime=0)


def inspect(content, filename="foo-1.0.tar.gz", project="foo"):
    return inspect_archive(
        io.BytesIO(content), FileName(filename), FileType.SDIST, project=project_name(project), version=None
    )


def refused(content, problem):
    with pytest.raises(Rejected, match=problem):
        inspect(content)


def plain(*members, tar_format=tarfile.PAX_FORMAT, pkg_info=True, pax_headers=None):
    """The bytes of a tar archive of ``(name, changes, content)`` after a PKG-INFO."""
    target = io.BytesIO()
    first = [(f"{TOP}/PKG-INFO", {}, PKG_INFO)] if pkg_info else []
    with tarfile.open(fileobj=target, mode="w", format=tar_format, pax_headers=pax_headers) as archive:
        for name, changes, content in [*first, *members]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def packed(*members, **options):
    return gz(plain(*members, **options))


def with_header(offset, new):
    """A tar archive with a part of its first header overwritten, and the checksum made right."""
    tar = bytearray(plain())
    tar[offset : offset + len(new)] = new
    tar[148:156] = b" " * 8
    tar[148:156] = f"{sum(tar[:512]):06o}\0 ".encode()
    return bytes(tar)


def test_a_built_sdist_passes():
    built = build_sdist("foo", "1.0", requires_dist=["bar"], body=b"x" * 100_000)
    assert b"Requires-Dist: bar" in inspect(built.content).metadata
    assert build_sdist("foo", "1.0", requires_dist=["bar"], body=b"x" * 100_000) == built


@pytest.mark.parametrize("filename", ["foo-1.0.zip", "Foo-1.0.0.zip"])
def test_a_zip_sdist_passes_under_any_spelling_of_its_name(filename):
    assert inspect(build_sdist("foo", "1.0", extension=".zip").content, filename).project == "foo"


def test_names_with_dashes_and_post_releases_pass():
    content = build_sdist("a-b", "1.0.post1").content
    assert inspect(content, "a-b-1.0-1.tar.gz", "a-b").display_name == "a-b"


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_tar_format_passes(tar_format):
    deep = f"{TOP}/" + "/".join(["folder" * 8] * 3) + "/file"
    inspect(
        packed(
            (TOP, {"type": tarfile.DIRTYPE}, b""),
            (TOP, {"type": tarfile.DIRTYPE}, b""),
            (deep, {}, b"x" * 1000),
            (f"{TOP}/gr\u00fcn", {}, b""),
            tar_format=tar_format,
        )
    )


@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_link_targets_are_read(tar_format):
    long = f"{TOP}/" + "x" * 300
    link = {"type": tarfile.SYMTYPE, "linkname": "y" * 300}
    inspect(packed((long, {}, b""), (f"{TOP}/l", link, b""), tar_format=tar_format))
    refused(packed((long, {}, b""), (long, {}, b""), tar_format=tar_format), "more than once")
    link["linkname"] = "y" * 300 + "/../../.."
    refused(packed((f"{TOP}/l", link, b""), tar_format=tar_format), "links stay in the top folder")


def test_a_size_in_a_pax_header_is_believed_as_every_tool_does():
    content = packed((f"{TOP}/x", {"pax_headers": {"size": "600"}}, b"x" * 600), (f"{TOP}/y", {}, b""))
    inspect(content)


def test_names_that_begin_with_a_dot_folder_pass():
    content = packed(
        (".", {"type": tarfile.DIRTYPE}, b""),
        (f"./{TOP}/PKG-INFO", {}, PKG_INFO),
        (f"./{TOP}//a", {}, b""),
        pkg_info=False,
    )
    assert inspect(content).project == "foo"


def test_the_comment_that_git_archive_writes_passes():
    inspect(packed((f"{TOP}/x", {}, b""), pax_headers={"comment": "0" * 40}))


@pytest.mark.parametrize("key", ["path", "linkpath", "size"])
def test_a_global_header_that_renames_members_is_refused(key):
    refused(packed(pax_headers={key: "1"}), "global pax header")


def test_several_gzip_members_and_zeros_after_them_pass():
    tar = plain((f"{TOP}/x", {}, b"x" * 5000))
    halves = gz(tar[:700]) + b"\0" * 10 + gz(tar[700:])
    inspect(halves)
    inspect(halves + b"\0" * 1000)


def test_an_archive_without_an_end_marker_passes():
    inspect(gz(plain()[: 512 * 2]))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cut off"),
        (b"not gzip", "is not gzip"),
        (gz(b"not a tar archive"), "not a tar archive"),
        (gz(b"x" * 512), "not a tar archive"),
        (gz(b""), "has no PKG-INFO"),
        (gz(b"\0" * 10240), "has no PKG-INFO"),
        (packed()[:-1], "cut off"),
        (packed()[:-9], "cut off|not gzip"),
        (packed() + b"garbage", "not gzip"),
        (packed()[:-8] + b"\0" * 8, "damaged"),
        (gz(plain()[:600]), "in the middle of a member"),
        (gz(plain() + b"more"), "something follows the end"),
    ],
)
def test_a_damaged_archive_is_refused(content, problem):
    refused(content, problem)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("/etc/passwd", "absolute name"),
        (f"{TOP}/../../x", r"'\.\.' in its name"),
        ("../x", r"'\.\.' in its name"),
        (f"{TOP}/a\\b", "backslash"),
        (f"{TOP}/a\nb", "control character"),
        ("C:/x", "absolute name"),
        ("bar-1.0/x", "outside of the folder 'foo-1.0'"),
        ("x", "outside of the folder 'foo-1.0'"),
        (f"{TOP}/" + "x" * 1024, "more than 1024 characters"),
    ],
)
def test_a_member_in_the_wrong_place_is_refused(name, problem):
    refused(packed((name, {}, b"")), problem)


def test_a_file_at_the_top_is_refused():
    refused(packed(("foo", {}, b""), pkg_info=False), "a sdist has one folder at its top")


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE, b"M"]
)
def test_devices_and_sparse_members_are_refused(kind):
    refused(packed((f"{TOP}/x", {"type": kind}, b"")), "a device, a sparse file or of an unknown type")


@pytest.mark.parametrize("headers", [{"GNU.sparse.major": "1"}, {"GNU.sparse.map": "0,1"}])
def test_sparse_members_of_pax_archives_are_refused(headers):
    refused(packed((f"{TOP}/x", {"pax_headers": headers}, b"")), "sparse member")


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_or_folder_with_contents_is_refused(kind):
    changes = {"type": kind, "linkname": f"{TOP}/PKG-INFO"}
    refused(packed((f"{TOP}/x", changes, b"contents")), "with contents of its own")


@pytest.mark.parametrize(
    ("name", "target"), [("l", "PKG-INFO"), ("a/l", "../PKG-INFO"), ("a/b/l", "../../c/d"), ("l", "./a")]
)
def test_a_symbolic_link_inside_the_tree_passes(name, target):
    inspect(packed((f"{TOP}/{name}", {"type": tarfile.SYMTYPE, "linkname": target}, b"")))


@pytest.mark.parametrize(
    ("name", "target"),
    [("l", "/etc/passwd"), ("l", "../x"), ("a/l", "../../x"), ("l", "a/../../x"), ("a/b/l", "c/../../x"),
     ("l", "C:/x"), ("l", "..\\x"), ("l", "")],
)  # fmt: skip
def test_a_symbolic_link_out_of_the_tree_is_refused(name, target):
    refused(
        packed((f"{TOP}/{name}", {"type": tarfile.SYMTYPE, "linkname": target}, b"")), "links stay in the top"
    )


def test_a_hard_link_inside_the_tree_passes():
    inspect(packed((f"{TOP}/l", {"type": tarfile.LNKTYPE, "linkname": f"./{TOP}/PKG-INFO"}, b"")))


@pytest.mark.parametrize("target", ["/etc/passwd", "PKG-INFO", f"{TOP}/../x", "../x", "other/x", ""])
def test_a_hard_link_out_of_the_tree_is_refused(target):
    refused(
        packed((f"{TOP}/l", {"type": tarfile.LNKTYPE, "linkname": target}, b"")),
        "links stay in the top folder",
    )


@pytest.mark.parametrize("name", ["a/\u00e9/x", "A/e\u0301/x", "a/\u00c9/x"])
def test_a_member_below_a_symbolic_link_is_refused_in_whatever_case(name):
    link = (f"{TOP}/a/\u00e9", {"type": tarfile.SYMTYPE, "linkname": "b"}, b"")
    refused(packed(link, (f"{TOP}/{name}", {}, b"")), "through a symbolic link")


@pytest.mark.parametrize("second", [f"{TOP}/PKG-INFO", f"./{TOP}/PKG-INFO", f"{TOP}//PKG-INFO"])
def test_a_member_that_is_there_twice_is_refused(second):
    refused(packed((second, {}, PKG_INFO)), "is there more than once")


def test_a_folder_in_the_place_of_a_file_is_refused():
    refused(packed((f"{TOP}/PKG-INFO", {"type": tarfile.DIRTYPE}, b"")), "is there more than once")


def test_only_the_pkg_info_of_the_top_folder_counts():
    refused(
        packed((f"{TOP}/foo.egg-info/PKG-INFO", {}, PKG_INFO), pkg_info=False), "has no PKG-INFO in its top"
    )
    link = {"type": tarfile.SYMTYPE, "linkname": "x"}
    refused(packed((f"{TOP}/PKG-INFO", link, b""), pkg_info=False), "has no PKG-INFO")


def test_an_extended_header_of_absurd_size_is_refused():
    huge = {"comment": "x" * (MAX_TAR_HEADER + 1)}
    refused(packed((f"{TOP}/x", {"pax_headers": huge}, b"")), "extended header of more than")
    refused(
        packed((f"{TOP}/" + "x" * MAX_TAR_HEADER, {}, b""), tar_format=tarfile.GNU_FORMAT),
        "extended header of more",
    )


@pytest.mark.parametrize(
    "record", [b"5 a=b", b"x a=b\n", b"99 a=b\n", b"6 ab c", b"0 a=b\n", b" =\n", b"-6 a=b\n"]
)
def test_a_malformed_pax_header_is_refused(record):
    refused(packed((f"{TOP}/x", {"type": b"x"}, record)), "malformed")


def test_a_size_in_base_256_is_read():
    inspect(gz(with_header(124, b"\x80" + (len(PKG_INFO)).to_bytes(11, "big"))))


def test_a_prefix_in_a_header_of_the_gnu_format_is_refused():
    refused(gz(with_header(257, b"ustar  \0".ljust(88, b"\0") + b"prefix")), "tools read differently")


def test_the_metadata_of_the_sdist_must_fit_its_name():
    with pytest.raises(Rejected, match="must be that of the project 'bar'"):
        inspect(tar_gz_bytes({f"{TOP}/PKG-INFO": PKG_INFO}), "bar-1.0.tar.gz", "bar")


@pytest.mark.parametrize("extension", [".tar.gz", ".zip"])
@pytest.mark.parametrize(
    ("top", "name", "version", "stem"),
    [
        ("PyYAML-3.13", "PyYAML", "3.13", "PyYAML-3.13"),
        ("zope.interface-5.0", "zope.interface", "5.0.0", "zope_interface-5.0.0"),
        ("backports.zoneinfo-0.2.1", "backports.zoneinfo", "0.2.1", "backports.zoneinfo-0.2.1"),
        ("python-dateutil-2.8.2", "python-dateutil", "2.8.2", "python_dateutil-2.8.2"),
        ("foo-1.0-beta.1", "foo", "1.0b1", "foo-1.0b1"),
    ],
)
def test_the_top_folder_may_be_spelled_as_old_tools_do(top, name, version, stem, extension):
    pack = zip_bytes if extension == ".zip" else tar_gz_bytes
    content = pack({f"{top}/PKG-INFO": core_metadata(name, version)})
    assert inspect(content, stem + extension, name).display_name == name


@pytest.mark.parametrize("extension", [".tar.gz", ".zip"])
@pytest.mark.parametrize("top", ["foo", "foo-1.1", "bar-1.0", "foo-bar-1.0", "src", "foo_1.0", "foo-1.0-x"])
def test_a_top_folder_of_another_name_is_refused(top, extension):
    pack = zip_bytes if extension == ".zip" else tar_gz_bytes
    content = pack({f"{top}/PKG-INFO": PKG_INFO})
    with pytest.raises(Rejected, match=r"must be named after foo and 1\.0, as the file is"):
        inspect(content, f"foo-1.0{extension}")
