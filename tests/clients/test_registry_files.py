"""Well-known files of all kinds from the public registry: published, and fetched and installed back.

This is the one place that uses the machine's own configuration: the files
come from the index that its pip is set up for.
"""

import email
import json
import re
import subprocess
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import requests
from packaging.tags import sys_tags
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from support.clients import Clients, Environment, program
from support.projects import sha256_of
from support.servers import Server
from support.sites import Site
from support.visitors import Visitor

pytestmark = pytest.mark.registry

FILES = [
    "Django-5.1.3.tar.gz",
    "PyYAML-3.13.tar.gz",
    "attrs-24.2.0-py3-none-any.whl",
    "attrs-24.2.0.tar.gz",
    "backports.zoneinfo-0.2.1.tar.gz",
    "black-24.10.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_28_x86_64.whl",
    "certifi-2025.1.31-py3-none-any.whl",
    "certifi-2025.1.31.tar.gz",
    "certifi-2025.4.26.tar.gz",
    "collective.recipe.omelette-1.1.0.tar.gz",
    "cryptography-43.0.3-cp39-abi3-manylinux_2_28_x86_64.whl",
    "cython-3.1.0-py3-none-any.whl",
    "django-5.2.1-py3-none-any.whl",
    "docutils-0.12.tar.gz",
    "docutils-0.21.2-py3-none-any.whl",
    "flit_core-3.10.1.tar.gz",
    "greenlet-3.1.1-cp311-cp311-macosx_11_0_universal2.whl",
    "hatchling-1.26.3-py3-none-any.whl",
    "humanfriendly-10.0-py2.py3-none-any.whl",
    "jaraco_functools-4.2.1-py3-none-any.whl",
    "jaraco_functools-4.2.1.tar.gz",
    "jinja2-3.1.4-py3-none-any.whl",
    "lockfile-0.12.2.tar.gz",
    "lxml-5.3.0-cp311-cp311-macosx_10_9_universal2.whl",
    "markupsafe-3.0.2.tar.gz",
    "markupsafe-3.0.3-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    "mercurial-6.8.2.tar.gz",
    "mpmath-0.19.tar.gz",
    "msgpack-1.1.0-cp311-cp311-win32.whl",
    "numpy-1.21.6.zip",
    "numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "numpy-2.1.0.tar.gz",
    "orjson-3.10.12-cp311-cp311-macosx_10_15_x86_64.macosx_11_0_arm64.macosx_10_15_universal2.whl",
    "orjson-3.10.12-cp311-none-win_amd64.whl",
    "pandas-2.2.3-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.whl",
    "pexpect-4.9.0-py2.py3-none-any.whl",
    "pip-24.3.1-py3-none-any.whl",
    "poetry_core-1.9.1.tar.gz",
    "pydantic_core-2.27.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "pydantic_core-2.27.1.tar.gz",
    "python-dateutil-2.9.0.post0.tar.gz",
    "python_dateutil-2.9.0.post0-py2.py3-none-any.whl",
    "pytz-2024.2-py2.py3-none-any.whl",
    "pywin32-308-cp311-cp311-win_amd64.whl",
    "pyyaml-6.0.3-cp311-cp311-musllinux_1_2_x86_64.whl",
    "repoze.lru-0.7.tar.gz",
    "requests-2.32.3-py3-none-any.whl",
    "requests-2.32.3.tar.gz",
    "ruamel.yaml.clib-0.2.8.tar.gz",
    "ruff-0.8.0-py3-none-musllinux_1_2_x86_64.whl",
    "scipy-1.14.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "setuptools-75.6.0-py3-none-any.whl",
    "simplejson-3.16.0.tar.gz",
    "simplejson-3.19.3-cp311-cp311-musllinux_1_2_aarch64.whl",
    "six-1.10.0.tar.gz",
    "six-1.16.0-py2.py3-none-any.whl",
    "sqlalchemy-2.0.41-cp311-cp311-win_amd64.whl",
    "twisted-24.10.0-py3-none-any.whl",
    "typing_extensions-4.14.0-py3-none-any.whl",
    "typing_extensions-4.14.0.tar.gz",
    "zest.releaser-9.2.0.tar.gz",
    "zipp-3.21.0-py3-none-any.whl",
    "zope.interface-5.0.0.tar.gz",
    "zope_interface-7.1.0.tar.gz",
    "zope_interface-8.0-cp311-cp311-manylinux1_x86_64.manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_5_x86_64.whl",
]

#: Installed back, without what they need in turn: these run everywhere.
INSTALLED = {
    "jaraco-functools": "4.2.1",
    "pytz": "2024.2",
    "python-dateutil": "2.9.0.post0",
    "six": "1.16.0",
    "typing-extensions": "4.14.0",
}
NUMPY = "2.1.0"
#: Built from their sdists, though there is a wheel of the first, and what builds them here.
BUILT = {"certifi": "2025.1.31", "flit-core": "3.10.1"}
BUILDERS = {"certifi": "setuptools (75.6.0)", "flit-core": "flit 3.10.1"}
_SETTINGS = """
import json
from pip._internal.commands.download import DownloadCommand
options, _ = DownloadCommand("download", "").parse_args([])
print(json.dumps([options.index_url, options.cert]))
"""


both = pytest.mark.parametrize("installer", ["pip", "uv"])


class Registry:
    """The index that this machine's pip is set up for."""

    def __init__(self) -> None:
        words = [program("python"), "-c", _SETTINGS]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        self._index, self._certificates = json.loads(done.stdout)

    def download(self, filename: str, folder: Path) -> Path:
        link = next((link for link in self._links(project_of(filename)) if _file_of(link) == filename), None)
        assert link is not None, f"the index of this machine has no {filename}"
        address, _, digest = link.partition("#")
        path = folder / filename
        path.write_bytes(self._get(address).content)
        assert digest in {"", f"sha256={sha256_of(path)}"}
        return path

    def wheel_for_here(self, project: str, version: str) -> str:
        """Return the file name of the wheel that suits this Python on this machine."""
        here = set(sys_tags())
        names = [name for name in map(_file_of, self._links(project)) if name.endswith(".whl")]
        for name in names:
            _, found, _, tags = parse_wheel_filename(name)
            if str(found) == version and tags & here:
                return name
        pytest.fail(f"{project} {version} has no wheel for this Python on this machine")

    def _links(self, project: str) -> list[str]:
        page = self._get(f"{self._index.rstrip('/')}/{project}/")
        return [urljoin(page.url, unescape(link)) for link in re.findall(r'href="([^"]+)"', page.text)]

    def _get(self, address: str) -> requests.Response:
        answer = requests.get(
            address, verify=self._certificates or True, timeout=300, headers={"Accept": "text/html"}
        )
        answer.raise_for_status()
        return answer


def _file_of(link: str) -> str:
    return unquote(urlsplit(link).path.rpartition("/")[2])


def project_of(filename: str) -> str:
    parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    return canonicalize_name(parse(filename)[0])


def metadata_version(path: Path) -> str:
    """Return the version of a file's core metadata."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            name = min((name for name in archive.getnames() if name.endswith("/PKG-INFO")), key=len)
            member = archive.extractfile(name)
            assert member is not None
            data = member.read()
    else:
        with zipfile.ZipFile(path) as archive:
            ends = ".dist-info/METADATA" if path.suffix == ".whl" else "/PKG-INFO"
            data = archive.read(min((n for n in archive.namelist() if n.endswith(ends)), key=len))
    return str(email.message_from_bytes(data)["Metadata-Version"])


def twine_refuses(path: Path) -> bool:
    """twine takes no fields that are newer than the metadata's version, as some of these have."""
    return metadata_version(path) in {"1.2", "2.3"}


def uv_refuses(path: Path) -> bool:
    """uv takes no sdist whose name is not normalized, and no ZIP file."""
    stem = project_of(path.name).replace("-", "_")
    return not path.name.startswith(f"{stem}-") or path.suffix == ".zip"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(scope="module")
def numpy_for_here(registry: Registry) -> str:
    """The file name of a large wheel for this machine alone; on many it stands in the table."""
    return registry.wheel_for_here("numpy", NUMPY)


@pytest.fixture(scope="module")
def originals(
    registry: Registry, numpy_for_here: str, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    folder = tmp_path_factory.mktemp("originals")
    names = sorted({*FILES, numpy_for_here})
    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(lambda name: registry.download(name, folder), names))


@pytest.fixture(scope="module")
def published(
    server: Server, shared_site: Site, originals: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """A server with all of them, some published with twine and the rest with uv."""
    clients = Clients(tmp_path_factory.mktemp("publisher"))
    by_uv = [path for number, path in enumerate(originals) if number % 2 or twine_refuses(path)]
    by_uv = [path for path in by_uv if not uv_refuses(path)]
    by_twine = [path for path in originals if path not in by_uv]
    clients.twine(server.url, shared_site.tokens["ada"], *by_twine).well()
    said = clients.uv_publish(server.url, shared_site.tokens["ada"], *by_uv).well()
    assert "skipping" not in said
    assert min(len(by_twine), len(by_uv)) > 15
    return server


@pytest.fixture
def index(published: Server) -> str:
    """The address of the server for pip and uv, with a token of its admin in it."""
    return published.as_account(published.site.tokens["ada"])


@pytest.fixture
def environment(clients: Clients) -> Environment:
    return clients.empty_environment("empty")


def test_the_table_has_files_of_all_kinds(originals: list[Path]) -> None:
    assert len(originals) >= 30
    versions = {metadata_version(path) for path in originals}
    assert versions >= {"1.1", "1.2", "2.1", "2.2", "2.3", "2.4"}
    assert "2.0" not in versions
    assert max(path.stat().st_size for path in originals) > 30_000_000


def test_every_file_comes_back_with_its_bytes(published: Server, originals: list[Path]) -> None:
    ada = Visitor(published, published.site.tokens["ada"])
    for path in originals:
        project = project_of(path.name)
        listed = {file["filename"]: file for file in ada.page(project).json()["files"]}
        assert listed[path.name]["hashes"]["sha256"] == sha256_of(path)
        assert listed[path.name]["size"] == path.stat().st_size
        assert ada.get(f"/packages/{project}/{path.name}").content == path.read_bytes(), path.name
    assert sorted(ada.projects()) == sorted({project_of(path.name) for path in originals})


def test_the_metadata_of_every_wheel_is_that_of_its_archive(published: Server, originals: list[Path]) -> None:
    ada = Visitor(published, published.site.tokens["ada"])
    for path in originals:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
                expected = archive.read(name)
            answer = ada.get(f"/packages/{project_of(path.name)}/{path.name}.metadata")
            assert answer.content == expected, path.name


def test_publishing_all_again_changes_nothing(
    published: Server, originals: list[Path], clients: Clients
) -> None:
    ada = Visitor(published, published.site.tokens["ada"])
    before = ada.get("/simple/").content
    again = [path for path in originals if not uv_refuses(path)]
    clients.uv_publish(published.url, published.site.tokens["ada"], *again).well()
    assert ada.get("/simple/").content == before
    assert published.site.run("check", "--digests").returncode == 0


@both
def test_they_install_with_their_hashes(
    originals: list[Path], index: str, environment: Environment, tmp_path: Path, installer: str
) -> None:
    wheels = [path for path in originals if path.suffix == ".whl"]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "".join(
            f"{name}=={version} "
            + " ".join(f"--hash=sha256:{sha256_of(p)}" for p in wheels if project_of(p.name) == name)
            + "\n"
            for name, version in INSTALLED.items()
        ),
        encoding="utf-8",
    )
    environment.install(installer, index, "--no-deps", "--require-hashes", "-r", requirements).well()
    assert environment.installed() == INSTALLED


def test_every_wheel_of_the_table_is_installed_by_pip(
    originals: list[Path], index: str, clients: Clients, tmp_path: Path
) -> None:
    """Those of other platforms into a folder; the hashes say which file pip has to choose."""
    wheels = [path for path in originals if path.name in FILES and path.suffix == ".whl"]
    assert len(wheels) >= 30
    installed: set[str] = set()
    for number, batch in enumerate(_batches(wheels)):
        installed |= _installed_by_pip(clients, index, batch, tmp_path / str(number))
    assert installed == {sha256_of(path) for path in wheels}


def _batches(wheels: list[Path]) -> list[list[Path]]:
    """Part them so that each batch has one of a project."""
    batches: list[dict[str, Path]] = []
    for path in wheels:
        project = project_of(path.name)
        free = next((batch for batch in batches if project not in batch), None)
        if free is None:
            free = {}
            batches.append(free)
        free[project] = path
    return [list(batch.values()) for batch in batches]


def _installed_by_pip(clients: Clients, index: str, wheels: list[Path], folder: Path) -> set[str]:
    """Install wheels of any platform for Python 3.11. Return the hashes of the files that pip took."""
    folder.mkdir()
    parsed = [parse_wheel_filename(path.name) for path in wheels]
    requirements = folder / "requirements.txt"
    requirements.write_text(
        "".join(
            f"{name}=={version} --hash=sha256:{sha256_of(path)}\n"
            for path, (name, version, _, _) in zip(wheels, parsed, strict=True)
        ),
        encoding="utf-8",
    )
    platforms = {tag.platform for *_, tags in parsed for tag in tags} - {"any"}
    clients.run(
        "pip", "install", "--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes",
        "--python-version", "3.11", "--implementation", "cp",
        *(f"--platform={platform}" for platform in sorted(platforms)),
        "--index-url", f"{index}/simple/", "--target", folder / "there",
        "--report", folder / "report.json", "-r", requirements,
    ).well()  # fmt: skip
    found = {distribution.name for distribution in distributions(path=[str(folder / "there")])}
    assert set(map(canonicalize_name, found)) == {name for name, *_ in parsed}
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {item["download_info"]["archive_info"]["hashes"]["sha256"] for item in report["install"]}


@both
def test_what_they_need_is_found_in_the_table(index: str, environment: Environment, installer: str) -> None:
    environment.install(installer, index, "python-dateutil").well()
    assert environment.installed() == {"python-dateutil": "2.9.0.post0", "six": "1.16.0"}


@both
def test_a_large_wheel_for_this_machine_alone_installs_and_runs(
    index: str, environment: Environment, installer: str
) -> None:
    environment.install(installer, index, f"numpy=={NUMPY}").well()
    assert environment.installed() == {"numpy": NUMPY}
    assert environment.says("import numpy; print(numpy.__version__, numpy.arange(4).sum())") == f"{NUMPY} 6"


@both
@pytest.mark.parametrize("project", BUILT)
def test_a_sdist_is_built_and_installed_with_what_is_here(
    index: str, environment: Environment, installer: str, project: str
) -> None:
    environment.install(installer, index, "--no-binary", project, f"{project}=={BUILT[project]}").well()
    assert environment.installed() == {project: BUILT[project]}
    wheel = (
        f"from importlib.metadata import distribution; print(distribution({project!r}).read_text('WHEEL'))"
    )
    assert f"Generator: {BUILDERS[project]}" in environment.says(wheel).splitlines()


def test_pip_downloads_the_bytes_that_were_published(
    originals: list[Path], numpy_for_here: str, index: str, clients: Clients, tmp_path: Path
) -> None:
    clients.run(
        "pip", "download", "--no-deps", "--no-binary", ",".join(BUILT), "--dest", tmp_path / "got",
        "--index-url", f"{index}/simple/",
        f"numpy=={NUMPY}", *(f"{project}=={version}" for project, version in BUILT.items()),
    ).well()  # fmt: skip
    got = {path.name: path for path in (tmp_path / "got").iterdir()}
    assert set(got) == {numpy_for_here, "certifi-2025.1.31.tar.gz", "flit_core-3.10.1.tar.gz"}
    for original in originals:
        if original.name in got:
            assert got[original.name].read_bytes() == original.read_bytes(), original.name
