"""``warehouse14 import --from``: taking over a site of another program."""

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from itertools import chain

from warehouse14.bootstrap import old_site
from warehouse14.cli.arguments import Parser, UsageError, text
from warehouse14.cli.output import escaped, say
from warehouse14.cli.progress import aside, progress
from warehouse14.cli.site import on_site
from warehouse14.domain.moving.outcomes import (
    AccountTaken,
    FileTaken,
    Noted,
    Opened,
    Outcome,
    ProjectTaken,
    RoleTaken,
    Wishes,
)
from warehouse14.domain.ports import OldSite, Untaken
from warehouse14.domain.services.takeover import Takeover
from warehouse14.domain.warehouse import Warehouse

#: The programs whose sites are taken over, and what says where one is.
_PLACES: Mapping[str, tuple[str, ...]] = {"elasticpypi": ("bucket",), "warehouse14": ("table", "bucket")}
_OF_WAREHOUSE14 = ("table_endpoint_url", "add_accounts", "public")
_OF_ALL = ("region", "endpoint_url", "profile", "dry_run")


def add_options(parser: Parser) -> None:
    """Add what ``import`` takes with ``--from``."""
    group = parser.add_argument_group("options for the site of another program, which is only read")
    group.add_argument("--from", dest="source", choices=list(_PLACES), help="the program")
    for name, metavar, what in (
        ("--region", "NAME", "the region of its bucket and table (default: what boto3 finds)"),
        ("--profile", "NAME", "the profile whose credentials may read it (default: what boto3 finds)"),
        ("--endpoint-url", "URL", "the address of the store with its bucket, if it is not AWS"),
        ("--table-endpoint-url", "URL", "the address of the database with its table, if it is not AWS"),
    ):
        group.add_argument(name, metavar=metavar, type=text, help=what)
    for name, what in (
        ("--add-accounts", "add accounts for people who have none here, and whose names are no addresses"),
        ("--public", "open the projects that were public there to everybody who is signed in here"),
        ("--dry-run", "read and judge everything, and change nothing"),
    ):
        group.add_argument(name, action="store_true", help=what)


def check(arguments: Namespace) -> None:
    """Raise ``UsageError`` for options that do not go together."""
    taken = {"warehouse14": (*_OF_ALL, *_OF_WAREHOUSE14), "elasticpypi": _OF_ALL}.get(arguments.source, ())
    for name in (*_OF_ALL, *_OF_WAREHOUSE14):
        if getattr(arguments, name) and name not in taken:
            program = "warehouse14" if name in _OF_WAREHOUSE14 else "PROGRAM"
            raise UsageError(f"--{name.replace('_', '-')} goes with --from {program}")
    wanted = _PLACES.get(arguments.source)
    if wanted and len(arguments.places) != len(wanted):
        raise UsageError(f"say where it is: --from {arguments.source} {' '.join(wanted).upper()}")


@on_site
def take_over(warehouse: Warehouse, arguments: Namespace) -> int:
    """Take over a site, and say what could not be taken."""
    wishes = Wishes(
        account=warehouse.account(arguments.account),
        add_accounts=arguments.add_accounts,
        public=arguments.public,
        is_trial=arguments.dry_run,
    )
    site = _site(arguments)
    found = site.contents()
    run = Takeover(warehouse, site, wishes)
    projects = progress(run.projects(found.projects), unit="projects", count=lambda: len(found.projects))
    files = progress(run.files(found.files), unit="files", count=lambda: len(found.files))
    told = _Told(is_trial=wishes.is_trial)
    for outcome in chain(map(Noted, found.notes), found.untaken, chain.from_iterable(projects), files):
        told.hear(outcome)
    say(told.summary())
    return 1 if told.counted[Untaken] else 0


class _Told:
    """Says what came of what, line by line, and of all at the end."""

    def __init__(self, *, is_trial: bool) -> None:
        self.counted: Counter[type] = Counter()
        self._there = 0
        self._is_trial = is_trial

    def hear(self, outcome: Outcome) -> None:
        """Count it, and say what somebody has to know of it, or of what a trial is for."""
        self._there += isinstance(outcome, FileTaken) and not outcome.is_new
        self.counted[type(outcome)] += 1
        line = _line(outcome)
        if line and (self._is_trial or isinstance(outcome, Untaken | Noted)):
            aside(say, escaped(line))

    def summary(self) -> str:
        """Return what came of all."""
        counted = self.counted
        taken = counted[FileTaken] - self._there
        files = f"{taken} files taken, {self._there} there already, {counted[Untaken]} not taken"
        others = (
            f"{counted[kind]} {what}"
            for kind, what in (
                (ProjectTaken, "projects made"),
                (RoleTaken, "roles given"),
                (AccountTaken, "accounts added"),
                (Opened, "projects opened"),
            )
            if counted[kind]
        )
        return "; ".join([f"{'nothing is changed; it would be: ' if self._is_trial else ''}{files}", *others])


def _line(outcome: Outcome) -> str:
    """Return what is said of one outcome."""
    match outcome:
        case Untaken(where, reason):
            return f"not taken: {where}: {reason}"
        case Noted(sentence):
            return f"note: {sentence}"
        case ProjectTaken(name, owner):
            return f"project: {name}, owned by {owner}"
        case RoleTaken(project, who, role):
            return f"role: {who} is {role} of {project}"
        case AccountTaken(name):
            return f"account: {name}"
        case Opened(project):
            return f"public: {project}"
    return ""


def _site(arguments: Namespace) -> OldSite:
    given = {name: getattr(arguments, name) for name in (*_OF_ALL, *_OF_WAREHOUSE14)}
    where = dict(zip(_PLACES[arguments.source], arguments.places, strict=True))
    values = {name: value for name, value in given.items() if isinstance(value, str)}
    return old_site(arguments.source, where | values)
