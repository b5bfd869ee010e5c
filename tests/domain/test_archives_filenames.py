import pytest
from packaging.version import Version

from warehouse14.domain.archives import ClaimedName, parse_file_name
from warehouse14.domain.errors import Rejected
from warehouse14.domain.model import FileType
from warehouse14.domain.names import FileName, project_name


def parse(filename, project, *, version=None, filetype=None, strict=True):
    guessed = FileType.WHEEL if filename.endswith(".whl") else FileType.SDIST
    return parse_file_name(
        FileName(filename),
        filetype or guessed,
        project=project_name(project),
        version=version and Version(version),
        strict_wheel_names=strict,
    )


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("foo-1.0-py3-none-any.whl", "foo", "1.0"),
        ("foo-1.0-1abc-py3-none-any.whl", "foo", "1.0"),
        ("foo_bar-1.0-py2.py3-none-any.whl", "Foo.Bar", "1.0"),
        ("foo-1.0+cu121-cp311-cp311-linux_x86_64.whl", "foo", "1.0+cu121"),
        ("foo-1!2.0rc1.post2.dev3-cp311-abi3-win_amd64.whl", "foo", "1!2.0rc1.post2.dev3"),
        ("foo-1.0.tar.gz", "foo", "1.0"),
        ("foo-1.0.zip", "foo", "1.0"),
        ("Foo_Bar-1.0.tar.gz", "foo-bar", "1.0"),
        ("a-b-1.0.tar.gz", "a-b", "1.0"),
        ("zope.interface-5.0.tar.gz", "zope-interface", "5.0"),
        ("foo-1.0-1.tar.gz", "foo", "1.0.post1"),
        ("foo-2-1.tar.gz", "foo-2", "1"),
        ("foo-1.0+local.1.tar.gz", "foo", "1.0+local.1"),
    ],
)
def test_a_file_name_says_project_and_version(filename, project, version):
    assert parse(filename, project) == ClaimedName(project_name(project), Version(version))


@pytest.mark.parametrize(
    "filename", ["PyYAML-6.0-cp311-cp311-win32.whl", "zope.interface-5.0-py3-none-any.whl"]
)
def test_a_wheel_name_that_is_not_normalized_is_refused_unless_the_caller_is_lenient(filename):
    project = filename.partition("-")[0]
    with pytest.raises(Rejected, match=r"must begin with '(pyyaml|zope_interface)-'"):
        parse(filename, project)
    assert parse(filename, project, strict=False).project == project_name(project)


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0.whl",
        "foo-1.0-py3-none.whl",
        "foo-bar-1.0-py3-none-any.whl",
        "foo-one-py3-none-any.whl",
        "foo-1.0-py3..py2-none-any.whl",
        "foo-1.0-py3-none-an+y.whl",
        "foo-1.0-py3!-none-any.whl",
        "foo-1.0-py3-none-\u212aelvin.whl",
        "foo-1.0-x1-py3-none-any.whl",
        "-1.0-py3-none-any.whl",
        "foo.tar.gz",
        "foo-one.tar.gz",
        "foo-.zip",
        "-1.0.tar.gz",
        ".whl",
        ".tar.gz",
        "foo-1.0.post" + "9" * 5000 + ".tar.gz",
        "foo-1.0-" + "9" * 5000 + "-py3-none-any.whl",
        "foo-1.0-" + "-".join([".".join(["a"] * 30)] * 3) + ".whl",
    ],
)
def test_a_file_name_that_cannot_be_parsed_is_refused(filename):
    with pytest.raises(Rejected, match=r"not the name of a (wheel|sdist)") as caught:
        parse(filename, "foo")
    assert caught.value.field == "content"


@pytest.mark.parametrize(
    "filename", ["foo-1.0.tar.bz2", "foo-1.0.egg", "foo-1.0.exe", "foo-1.0.TAR.GZ", "foo"]
)
def test_another_extension_is_refused(filename):
    with pytest.raises(Rejected, match=r"Use \.whl, \.tar\.gz or \.zip, in lower case"):
        parse(filename, "foo")


@pytest.mark.parametrize(
    ("filename", "filetype"),
    [
        ("foo-1.0.tar.gz", FileType.WHEEL),
        ("foo-1.0.zip", FileType.WHEEL),
        ("foo-1.0-py3-none-any.whl", FileType.SDIST),
    ],
)
def test_an_extension_that_does_not_fit_the_filetype_is_refused(filename, filetype):
    with pytest.raises(Rejected, match="does not fit the extension") as caught:
        parse(filename, "foo", filetype=filetype)
    assert caught.value.field == "filetype"


@pytest.mark.parametrize("filename", ["bar-1.0.tar.gz", "bar-1.0.zip", "bar-1.0-py3-none-any.whl"])
def test_the_name_of_another_project_is_refused(filename):
    with pytest.raises(Rejected, match="names the project 'bar', not 'foo'") as caught:
        parse(filename, "foo")
    assert caught.value.field == "name"


@pytest.mark.parametrize("filename", ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl"])
def test_the_forms_version_must_be_equal_as_pep_440_compares(filename):
    assert parse(filename, "foo", version="1.0.0").version == Version("1")
    with pytest.raises(Rejected, match=r"says version 1.0, the form says 1.1") as caught:
        parse(filename, "foo", version="1.1")
    assert caught.value.field == "version"
