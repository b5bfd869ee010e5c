"""What lies on the shelves of the sites that are looked at: believable things, and every state there is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import shake_256

import pytest

from browser import readmes
from support.sites import PASSWORD, Site
from warehouse14.domain.access import Identity
from warehouse14.domain.model import FileType, Role, Scope
from warehouse14.domain.names import FileName, ProviderName
from warehouse14.domain.services.uploadform import form_of
from warehouse14.domain.warehouse import Warehouse
from warehouse14.testing.builders import BuiltFile, record_of, tar_gz_bytes, wheel_member, zip_bytes

ANY = "py3-none-any"
MARKDOWN = "text/markdown; charset=UTF-8; variant=GFM"

#: A name as long as a name may be, without a place to break it.
LONG_NAME = "x" * 150 + "y" * 50
LONG_ACCOUNT = "a" * 190 + "@example.z"
LONG_GROUP = "g" * 100
LONG_VERSION = "2026.1.20.300.4000.50000rc1.post22.dev333+a.very.long.local.version.of.a.nightly.build"
HOSTILE = f'"><b title={readmes.SCRIPT}{readmes.HANDLER} \u202e{readmes.ENDLESS}'
#: The same of the characters that a token's name may have, and as short.
HOSTILE_NAME = HOSTILE.replace("\u202e", "")[:200]


@dataclass
class Clock:
    """A time that is set by hand."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Text:
    """The core metadata of a release, but for its name and version."""

    summary: str = ""
    description: str = ""
    content_type: str = MARKDOWN
    fields: Sequence[tuple[str, str]] = ()

    def bytes_of(self, name: str, version: str, requires_python: str) -> bytes:
        lines = [
            ("Metadata-Version", "2.4"),
            ("Name", name),
            ("Version", version),
            ("Summary", self.summary),
            ("Requires-Python", requires_python),
            ("Description-Content-Type", self.content_type),
            *self.fields,
        ]
        head = "".join(f"{key}: {value}\n" for key, value in lines if value)
        return f"{head}\n{self.description}".encode()


def wheel(name: str, version: str, text: Text, tag: str = ANY, python: str = "", size: int = 0) -> BuiltFile:
    """Return a wheel with exactly this core metadata, and about ``size`` bytes of code."""
    stem = f"{_escaped(name)}-{version}"
    info = f"{stem}.dist-info"
    members = {
        f"{_escaped(name)}.py": _noise(name + version + tag, size),
        f"{info}/METADATA": text.bytes_of(name, version, python),
        f"{info}/WHEEL": wheel_member(tag),
    }
    members[f"{info}/RECORD"] = record_of(members, f"{info}/RECORD")
    return BuiltFile(FileName(f"{stem}-{tag}.whl"), zip_bytes(members), FileType.WHEEL)


def sdist(name: str, version: str, text: Text, python: str = "", size: int = 0) -> BuiltFile:
    """Return the same as an sdist."""
    top = f"{_escaped(name)}-{version}"
    members = {
        f"{top}/PKG-INFO": text.bytes_of(name, version, python),
        f"{top}/{_escaped(name)}.py": _noise(name + version, size),
    }
    return BuiltFile(FileName(f"{top}.tar.gz"), tar_gz_bytes(members), FileType.SDIST)


def _escaped(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _noise(seed: str, size: int) -> bytes:
    return shake_256(seed.encode()).digest(size)


class Shelves:
    """A site that is being filled, at times of one's choice."""

    def __init__(self, warehouse: Warehouse, clock: Clock) -> None:
        self.clock = clock
        self.warehouse = Warehouse(warehouse.units, warehouse.store, warehouse.policy, now=clock)
        self.operator = self.warehouse.operator()
        self._started = clock.now

    def days_ago(self, days: float) -> None:
        """Let what comes next have happened so many days before now."""
        self.clock.now = self._started - timedelta(days=days)

    def account(self, name: str, *, password: str | None = None, **options: bool) -> Identity:
        self.warehouse.accounts.add(self.operator, name, password=password, **options)
        return self.person(name)

    def person(self, name: str) -> Identity:
        """Return somebody who acts from an address."""
        return replace(self.warehouse.account(name), origin="192.0.2.44")

    def project(self, name: str, admin: str, *, public: bool = False, members: Sequence[str] = ()) -> None:
        owner = self.person(admin)
        self.warehouse.projects.create(owner, name, public=public)
        for member in members:
            self.warehouse.projects.grant(owner, name, f"account:{member}", Role.MEMBER)

    def publish(self, by: str, *files: BuiltFile) -> None:
        for file in files:
            form = form_of(file.filename)
            self.warehouse.uploads.publish(self.person(by), form, [file.content])

    def yank(self, project: str, filename: str, reason: str) -> None:
        self.warehouse.files.yank(self.operator, project, filename, reason=reason)

    def yank_release(self, project: str, version: str, reason: str) -> None:
        self.warehouse.files.yank_release(self.operator, project, version, reason=reason)

    def token(self, of: str, name: str, scope: Scope = Scope.READ, **options: object) -> str:
        text: str = self.warehouse.tokens.mint(
            self.operator, name=name, account=of, scopes={scope}, **options  # type: ignore[arg-type]
        ).text  # fmt: skip
        return text

    def session(self, of: str, agent: str, origin: str = "192.0.2.44") -> None:
        self.warehouse.sessions.sign_in(of, PASSWORD, origin=origin, agent=agent)


@contextmanager
def filling(site: Site) -> Iterator[Shelves]:
    """Open the shelves of a site. Nothing waits for the disk or takes work: that is no subject here."""
    with pytest.MonkeyPatch.context() as patch, site.library() as warehouse:
        patch.setattr("os.fsync", lambda descriptor: None)
        patch.setattr("warehouse14.domain.credentials._SCRYPT_N", 2)
        yield Shelves(warehouse, Clock())


#: Who is there on every site, and what they are. All have the same password.
PEOPLE: Mapping[str, str] = {
    "root": "an administrator without a role on any project",
    "ada": "the admin of the projects",
    "ben": "a member of them",
    "cleo": "a stranger to all that is private",
}


def people(shelves: Shelves) -> None:
    """Add those who are there on every site."""
    shelves.days_ago(200)
    for name in PEOPLE:
        shelves.account(name, password=PASSWORD, administrator=name == "root")


def logins(shelves: Shelves) -> None:
    """Let ada come from elsewhere, too: from three places, of which one is known no longer."""
    for days, provider, subject in (
        (90, "corp", "ada.lindqvist@orbit.example.com"),
        (30, "partner", "s" * 255),
        (10, "gone", HOSTILE_NAME),
    ):
        shelves.days_ago(days)
        issuer = f"https://{provider}.example.com"
        shelves.warehouse.arrivals.join_known(
            shelves.operator, "ada", provider=ProviderName(provider), issuer=issuer, subject=subject
        )


# -- what a customer sees ----------------------------------------------------------------

_ORBIT = Text(
    "Plans the passes of small satellites over your ground stations",
    readmes.ORBIT,
    fields=[
        ("License-Expression", "Apache-2.0"),
        ("Keywords", "satellites,scheduling,ground stations"),
        ("Author-email", "Ada Lindqvist <ada@orbit.example.com>"),
        ("Maintainer-email", "Flight software <flight@orbit.example.com>"),
        ("Classifier", "Development Status :: 5 - Production/Stable"),
        ("Classifier", "Framework :: AsyncIO"),
        ("Classifier", "Intended Audience :: Science/Research"),
        ("Classifier", "Operating System :: OS Independent"),
        ("Classifier", "Programming Language :: Python :: 3.11"),
        ("Classifier", "Programming Language :: Python :: 3.12"),
        ("Classifier", "Programming Language :: Python :: 3.13"),
        ("Classifier", "Typing :: Typed"),
        ("Project-URL", "Documentation, https://orbit.example.com/handbook/"),
        ("Project-URL", "Source, https://git.example.com/flight/orbit"),
        ("Project-URL", "Issues, https://git.example.com/flight/orbit/issues"),
        ("Project-URL", "Changelog, https://orbit.example.com/changes/"),
        ("Requires-Dist", "orbit-units>=1.2"),
        ("Requires-Dist", "numpy>=2"),
        ("Requires-Dist", "ledger-client<3,>=2.1; extra == 'booking'"),
        ("Provides-Extra", "booking"),
    ],
)
_ORBIT_TAGS = ("cp311-abi3-manylinux_2_28_x86_64", "cp311-abi3-macosx_12_0_arm64", "cp311-abi3-win_amd64")


@dataclass(frozen=True)
class Believable:
    """A project such as a company has, with one release."""

    name: str
    version: str
    days: float
    summary: str
    admin: str = "ada"
    public: bool = True
    readme: str = ""
    content_type: str = ""

    def put(self, shelves: Shelves) -> None:
        shelves.days_ago(self.days)
        text = Text(self.summary, self.readme, self.content_type, [("License-Expression", "MIT")])
        shelves.project(self.name, self.admin, public=self.public, members=["ben"])
        files = (make(self.name, self.version, text, size=50_000) for make in (wheel, sdist))
        shelves.publish(self.admin, *files)


_BELIEVABLE = (
    Believable("orbit-units", "1.4.2", 2, "Angles, times and frequencies that do not mix",
               readme=readmes.RESTRUCTURED),
    Believable("Ledger.Client", "2.3.0", 5, "Books antenna time, and tells what it costs",
               readme=readmes.PLAIN, content_type="text/plain"),
    Believable("weather-station", "0.8.1", 9, "Reads the roof sensors, and warns before a storm"),
    Believable("orbit-viewer", "0.9.0", 11, "Draws orbits and passes on a map", "grace"),
    Believable("dish-driver", "1.9.3", 13, "Turns the antennas, and parks them", "grace", public=False),
    Believable("pixel-tools", "3.0.0", 16, "Calibrates, stacks and labels the images of the cameras"),
    Believable("telemetry-store", "4.1.0", 19, "Keeps what the satellites measure", "emil"),
    Believable("ground-link", "3.2.1", 22, "Frames, codes and decodes what goes up and comes down", "emil"),
    Believable("mission-config", "0.14.0", 26, "The settings of every mission, checked", public=False),
    Believable("night-shift", "1.1.0", 30, "Who is on call, and how they want to be woken"),
    Believable("star-catalogue", "2026.4", 47, "Bright stars to tell attitude and orbit from", "grace"),
    Believable("report-kit", "1.0.5", 58, "Weekly reports as PDF and HTML, from one template", "emil"),
)  # fmt: skip


def believable(shelves: Shelves) -> None:
    """Put projects on the shelves such as a company has."""
    shelves.days_ago(200)
    for name in ("dora", "emil", "farah", "grace"):
        shelves.account(name, password=PASSWORD)
    for project in _BELIEVABLE:
        project.put(shelves)
    _orbit(shelves)
    shelves.days_ago(40)
    shelves.token("ada", "laptop", Scope.UPLOAD)
    shelves.token("ada", "build server", Scope.UPLOAD, project="orbit-core", days=90)
    used = shelves.token("ada", "notebooks", days=365)
    shelves.days_ago(0.1)
    shelves.warehouse.tokens.identify(used)


def _orbit(shelves: Shelves) -> None:
    """Add the project that is looked at most: releases of every kind, and people in both roles."""
    shelves.days_ago(190)
    shelves.project("orbit-core", "ada", members=["ben", "dora", "emil", "farah"])
    shelves.warehouse.projects.grant(shelves.operator, "orbit-core", "account:grace", Role.ADMIN)
    for days, version in ((190, "1.9.0"), (150, "1.10.0"), (92, "2.0.0"), (61, "2.1.0"), (33, "2.2.0")):
        shelves.days_ago(days)
        shelves.publish("ada", wheel("orbit-core", version, _ORBIT, python=">=3.11", size=300_000))
    shelves.yank_release("orbit-core", "2.1.0", "Loses passes at midnight, use 2.2.0")
    shelves.days_ago(3)
    files = [wheel("orbit-core", "2.3.0", _ORBIT, tag, ">=3.11", 410_000) for tag in _ORBIT_TAGS]
    shelves.publish("ada", *files, sdist("orbit-core", "2.3.0", _ORBIT, ">=3.11", 350_000))
    shelves.yank("orbit-core", files[-1].filename, "Does not find its time zones, a new build follows")
    shelves.days_ago(0.8)
    shelves.publish("ada", wheel("orbit-core", "2.4.0rc1", _ORBIT, python=">=3.11", size=300_000))


def organised(shelves: Shelves) -> None:
    """Put the people of the company into groups that have roles, and let Ada come through her employer."""
    groups, projects = shelves.warehouse.groups, shelves.warehouse.projects
    shelves.days_ago(1.2)
    ada, emil = shelves.person("ada"), shelves.person("emil")
    groups.create(ada, "flight-software")
    groups.create(emil, "ground-segment")
    for by, group, names in (
        (ada, "flight-software", ("ben", "dora", "farah")),
        (emil, "ground-segment", ("ada", "grace")),
    ):
        for name in names:
            groups.add(by, group, name, admin=name == "dora")
    for name, role in (("mission-config", Role.MEMBER), ("orbit-units", Role.ADMIN)):
        projects.grant(ada, name, "group:flight-software", role)
    shelves.days_ago(0.9)
    tokens = shelves.warehouse.tokens
    tokens.mint(ada, name="nightly builds", service="group:flight-software", scopes=[Scope.UPLOAD], days=90)
    shelves.warehouse.arrivals.join_known(
        shelves.operator,
        "ada",
        provider=ProviderName("orbit"),
        issuer="https://login.orbit.example.com",
        subject="ada.lindqvist",
    )


# -- every state -------------------------------------------------------------------------

MANY_FILES = [
    f"cp3{python}-cp3{python}-manylinux_2_{glibc}_{machine}"
    for python in range(11, 14)
    for glibc in range(17, 27)
    for machine in ("x86_64", "aarch64")
]
_HOSTILE = Text(
    HOSTILE[:512],
    readmes.HOSTILE_MARKDOWN,
    fields=[
        ("Author", HOSTILE),
        ("Maintainer-email", f'"{readmes.HANDLER}" <x@{readmes.ENDLESS}.example>, mailto@evil.example'),
        ("License", HOSTILE),
        ("Keywords", f"{readmes.SCRIPT},{readmes.ENDLESS}"),
        ("Classifier", f"{readmes.SCRIPT} :: {readmes.ENDLESS}"),
        ("Classifier", readmes.HANDLER),
        ("Project-URL", f"{readmes.SCRIPT}, javascript:window.hostile='url'"),
        ("Project-URL", "Homepage, data:text/html,<script>1</script>"),
        ("Project-URL", f"{readmes.ENDLESS[:200]}, https://evil.example/{readmes.ENDLESS}"),
        ("Requires-Dist", f"{readmes.ENDLESS[:190]}>=1"),
        ("Requires-Dist", f"{readmes.SCRIPT}"),
    ],
)


def states(shelves: Shelves) -> None:
    """Add what is odd, long, empty or hostile."""
    shelves.days_ago(100)
    shelves.account(LONG_ACCOUNT)
    shelves.account("new-here", password=PASSWORD, once=True)
    shelves.account("deputy", administrator=True)
    shelves.account("gone")
    shelves.warehouse.accounts.set_disabled(shelves.operator, "gone", disabled=True)
    colleagues = [f"colleague-{number}" for number in range(9)]
    for name in colleagues:
        shelves.account(name)
    shelves.project("crowded", "ada", members=["ben", LONG_ACCOUNT, *colleagues])
    shelves.project("Empty", "ada", members=["ben"])
    _groups(shelves, ["ben", LONG_ACCOUNT, *colleagues])
    _many(shelves)
    _marked(shelves)
    _hostile(shelves)
    shelves.days_ago(400)
    shelves.token("ada", "expired", days=1)
    for days in range(401, 406):
        shelves.token("ben", HOSTILE_NAME, days=days)
    shelves.token("ada", HOSTILE_NAME)
    shelves.days_ago(0.02)
    shelves.session("ada", HOSTILE, origin="2001:db8:1234:5678:9abc:def0:1234:5678")
    shelves.session("ada", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")


def _groups(shelves: Shelves, members: Sequence[str]) -> None:
    """Add groups, and give them roles."""
    groups = shelves.warehouse.groups
    for name in ("platform", LONG_GROUP):
        groups.create(shelves.operator, name, admin="ada")
    for member in members:
        groups.add(shelves.operator, "platform", member)
    shelves.warehouse.tokens.mint(shelves.operator, name=HOSTILE_NAME, service="group:platform")
    theirs = "group:corp/" + HOSTILE_NAME[:180]
    for who in ("group:platform", f"group:{LONG_GROUP}", theirs):
        shelves.warehouse.projects.grant(shelves.operator, "crowded", who, Role.MEMBER)


def _many(shelves: Shelves) -> None:
    """Add lists of more than a page: projects, versions, files."""
    for number in range(60):
        shelves.project(f"shelf-{number:02}", "ada", public=True)
    shelves.project("many-versions", "ada", public=True)
    text = Text("Released every week")
    for number in range(34):
        shelves.days_ago(350 - 7 * number)
        shelves.publish("ada", wheel("many-versions", f"1.{number}", text))
    shelves.project("many-files", "ada", public=True)
    shelves.publish("ada", *(wheel("many-files", "1.0", text, tag) for tag in MANY_FILES))


def _marked(shelves: Shelves) -> None:
    """Add projects that are yanked, not finished, or not of one kind."""
    text = Text("All of it was a mistake")
    shelves.project("all-yanked", "ada", public=True)
    shelves.publish("ada", wheel("all-yanked", "1.0", text), wheel("all-yanked", "1.1", text))
    for version in ("1.0", "1.1"):
        shelves.yank_release("all-yanked", version, "")
    shelves.project("only-pre", "ada", public=True)
    shelves.publish("ada", wheel("only-pre", "1.0a1", Text("Not yet", "", "")))
    shelves.project("mixed", "ada", public=True)
    older, newer = Text("Needs what it needs", "One."), Text("Needs what it needs", "Two.")
    shelves.publish(
        "ada", sdist("mixed", "1.0", older, ">=3.8"), wheel("mixed", "1.0", newer, python=">=3.11")
    )
    shelves.yank("mixed", "mixed-1.0.tar.gz", "Does not build anywhere")


def _hostile(shelves: Shelves) -> None:
    """Add what an enemy would publish."""
    shelves.project("hostile", "ada", members=["ben"])
    files = [wheel("hostile", version, _HOSTILE) for version in ("1.0", LONG_VERSION)]
    rst = Text(_HOSTILE.summary, readmes.HOSTILE_RESTRUCTURED, "text/x-rst", _HOSTILE.fields)
    shelves.publish("ada", *files, wheel("hostile", "0.9", rst), sdist("hostile", "1.0", _HOSTILE))
    shelves.yank("hostile", files[0].filename, HOSTILE[:900])
    shelves.project(LONG_NAME, "ada", members=["ben"])
    shelves.publish("ada", wheel(LONG_NAME, "1.0", _HOSTILE))
