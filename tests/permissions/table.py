"""Writes docs/permissions.md: ``python -m permissions.table docs/permissions.md``."""

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from permissions import usecases, views
from permissions.words import HIDDEN, KNOWN, NO, PEOPLE, SIGN_IN, YES
from warehouse14.domain.access import GRANTS, PUBLIC, SCOPES, Permission
from warehouse14.domain.model import Role, Scope, in_order

PAGES, CLIENTS = "Pages and forms", "Addresses for clients"
USE_CASES, UNASKED = "Use cases", "Use cases that ask for nobody"
RIGHTS = "Roles and scopes"

ADDRESS, METHOD, WHAT, NAME, OF, SCOPE = (
    "address",
    "method",
    "what it does",
    "use case",
    "whose",
    "by a token",
)
ANY_SCOPE, NO_SCOPE = "of any scope", NO

_BEGINNING = f"""# Who may do what

`make permissions` writes this page from the code: it asks the access lists of the site and tries every use
case. The tests hold that it is up to date, that it says what was written by hand in `tests/web`, and that
somebody who follows every link and sends every form of a site meets just this.

| | |
|---|---|
| administrator | runs the site, and has no role on the project |
| admin | an admin of the project and of the group |
| member | a member of both |
| stranger | signed in, with a role on neither |
| nobody | not signed in; for clients, without a token that counts |

| | |
|---|---|
| {YES} | it is done, or the page is shown |
| {NO} | refused: they are told that they may not |
| {HIDDEN} | refused: they are told that there is nothing, as where there is nothing |
| {SIGN_IN} | sent to the sign-in, or told to sign in |

Of two words, the first is about a private project and the second about a public one. Lists hold only what
their reader may see. On the page of one's account, a token or a session by its id is one's own, and so is an
upload; any other is hidden.

An administrator who looks into a project or a group has on its pages what an admin of it has, for an hour and
in that browser alone. At addresses for clients it gives nothing more.
"""

_ON_PAGES = """For whoever is signed in with a browser. GET is HEAD, too. A POST without the token of its form
is refused, but for the logout message of a provider, which is signed."""
_ON_CLIENTS = """For whoever sends a token that holds nothing back. A session of a browser counts for nothing
here. `/metrics` is hidden from all but those whom the settings open it to, whoever they are."""
_ON_USE_CASES = """The methods of `Warehouse`, called in person by whoever embeds it. The last column says
with which scopes a token does as well, for those who may in person. Nobody has no identity, and so none of
these."""
_ON_UNASKED = """These take no identity, and are open to all who hold a `Warehouse`: they sign somebody in,
belong to the command line, or serve a caller who has asked already."""
_ON_RIGHTS = """What a role gives on its project, what everybody who is signed in has on a public one, and
what each scope of a token lets through of what its owner may. Besides, whoever is signed in may browse and,
unless the settings say otherwise, create; administrators administer."""


def text() -> str:
    """Return the whole page."""
    tried = usecases.rows()
    of_uploads = next(row.cells for row in tried if row.name == "uploads.receive")
    seen = views.rows(of_uploads)
    sections = (
        (PAGES, _ON_PAGES, _views(row for row in seen if not row.is_for_clients)),
        (CLIENTS, _ON_CLIENTS, _views(row for row in seen if row.is_for_clients)),
        (USE_CASES, _ON_USE_CASES, _use_cases(tried)),
        (UNASKED, _ON_UNASKED, _unasked()),
        (RIGHTS, _ON_RIGHTS, _rights()),
    )
    return _BEGINNING + "".join(
        f"\n## {title}\n\n{said}\n\n{_table(lines)}" for title, said, lines in sections
    )


def _views(rows: Iterable[views.Row]) -> Iterator[Sequence[str]]:
    yield ADDRESS, METHOD, WHAT, *PEOPLE
    for row in rows:
        yield f"`{row.address}`", row.method, row.what, *(row.cells[kind] for kind in PEOPLE)


def _use_cases(rows: Iterable[usecases.UseCase]) -> Iterator[Sequence[str]]:
    yield NAME, OF, WHAT, *KNOWN, SCOPE
    for row in rows:
        yield f"`{row.name}`", row.of, row.what, *(row.cells[kind] for kind in KNOWN), _scopes(row.scopes)


def _scopes(found: frozenset[Scope]) -> str:
    return ANY_SCOPE if found == set(Scope) else ", ".join(in_order(found)) or NO_SCOPE


def _unasked() -> Iterator[Sequence[str]]:
    yield NAME, WHAT
    for name in usecases.asked_and_unasked()[1]:
        yield f"`{name}`", usecases.what_it_does(name)


def _rights() -> Iterator[Sequence[str]]:
    yield "", WHAT, *Role, "public project", *(f"scope {scope}" for scope in Scope)
    given = [*(GRANTS[role] for role in Role), PUBLIC, *(SCOPES[scope] for scope in Scope)]
    for permission in Permission:
        yield permission, _meaning(permission), *(YES if permission in each else "" for each in given)


def _meaning(permission: Permission) -> str:
    """Return the comment above a permission."""
    found = re.search(rf"#: (.*)\n\s+{permission.name} = ", inspect.getsource(Permission))
    assert found is not None, f"{permission} has no comment that says what it is"
    return found[1]


def _table(lines: Iterable[Sequence[str]]) -> str:
    head, *rest = lines
    assert not any("|" in cell for line in rest for cell in line)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *rest))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
