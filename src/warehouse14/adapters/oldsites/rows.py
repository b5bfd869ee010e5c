"""The rows of an old Warehouse14.

A project's rows have the ``pk`` ``project#NAME``. Their ``sk`` is the same for the project itself, with its
versions and files; ``account#NAME`` for a role; and ``account#public`` where everybody reads it. Names are
normalized (PEP 503) from version 0.1.2 on; what was written before is not shown by later versions.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name

from warehouse14.adapters.oldsites.listed import ListedFiles
from warehouse14.domain.model import Role
from warehouse14.domain.ports import Untaken

_PUBLIC = "public"
_SHAPE = "the row is not as the old Warehouse14 writes them"


@dataclass
class Gathered:
    """What the rows of one project say.

    Attributes:
        key: the name in their ``pk``.
        spelled: the name as people write it.
        listed: the files in the project's own row, or None if there are roles alone.
        public: whether everybody reads it.
        roles: those of people, by what they are called.
    """

    key: str
    spelled: str = ""
    listed: ListedFiles | None = None
    public: bool = False
    roles: dict[str, Role] = field(default_factory=dict)


class Rows:
    """What all rows say. ``untaken`` are those of which nothing can be made; ``tokens`` and ``groups`` are
    numbers of rows."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self.untaken: list[Untaken] = []
        self._gathered: dict[str, Gathered] = {}
        self._counted: Counter[str] = Counter()
        for row in rows:
            self._take(row)

    @property
    def tokens(self) -> int:
        """How many tokens there are."""
        return self._counted["token"]

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self._counted["group"]

    def projects(self) -> Iterator[tuple[Gathered, ListedFiles]]:
        """Return the projects with their files, one of each normalized name; what is left over becomes
        ``untaken``."""
        spellings: defaultdict[str, list[Gathered]] = defaultdict(list)
        for gathered in self._gathered.values():
            spellings[canonicalize_name(gathered.key)].append(gathered)
        for name, found in sorted(spellings.items()):
            whole = [one for one in found if one.listed is not None]
            for one in found:
                if one.listed is None:
                    self._leave(f"project#{one.key}", "it has roles, but no row of its own")
                elif len(whole) > 1 and one.key != name:
                    self._leave(f"project#{one.key}", f"it is another spelling of {name}, with own files")
                else:
                    yield one, one.listed

    def _take(self, row: Mapping[str, Any]) -> None:
        kind, _, name = str(row["pk"]).partition("#")
        of, _, who = str(row["sk"]).partition("#")
        take = self._TAKERS.get((kind, of), Rows._refuse)
        take(self, row, name, who)

    def _take_project(self, row: Mapping[str, Any], name: str, who: str) -> None:
        if name != who:
            self._refuse(row, name, who)
            return
        gathered, spelled = self._of(name), str(row.get("name"))
        # No row is kept: they are long, with the descriptions of all versions.
        gathered.listed = ListedFiles(name, row)
        gathered.spelled = spelled if canonicalize_name(spelled) == canonicalize_name(name) else name

    def _take_role(self, row: Mapping[str, Any], name: str, who: str) -> None:
        if who == _PUBLIC:
            self._of(name).public = True
            return
        try:
            self._of(name).roles[who] = Role(str(row.get("role")))
        except ValueError:
            self._leave(f"project#{name} account#{who}", f"{str(row.get('role'))[:40]!r} is no role")

    def _count(self, row: Mapping[str, Any], name: str, who: str) -> None:  # noqa: ARG002
        self._counted[str(row["sk"]).partition("#")[0]] += 1

    def _pass(self, row: Mapping[str, Any], name: str, who: str) -> None:
        """Take nothing of a row, which says no more than others do."""

    def _refuse(self, row: Mapping[str, Any], name: str, who: str) -> None:  # noqa: ARG002
        self._leave(f"{row['pk']} {row['sk']}", _SHAPE)

    def _of(self, name: str) -> Gathered:
        return self._gathered.setdefault(name, Gathered(name))

    def _leave(self, where: str, reason: str) -> None:
        self.untaken.append(Untaken(where, reason))

    _TAKERS: Mapping[tuple[str, str], Callable[["Rows", Mapping[str, Any], str, str], None]] = {
        ("project", "project"): _take_project,
        ("project", "account"): _take_role,
        ("account", "account"): _pass,
        ("account", "token"): _count,
        ("group", "group"): _count,
        ("group", "account"): _pass,
    }
