"""Names, made from raw text in one place.

A function here takes text from outside and returns a type that the rest of
the code trusts, or raises :class:`~warehouse14.domain.errors.Rejected`.
"""

import re
from typing import NewType

from packaging.utils import canonicalize_name

from warehouse14.domain.errors import Rejected

#: A project's name, normalized as PEP 503 says: the key of a project.
ProjectName = NewType("ProjectName", str)
#: A distribution file's name, safe as the last part of an address and of a path.
FileName = NewType("FileName", str)
#: An account's name, in lower case; that of a service account has a colon in it, as nobody's can.
AccountName = NewType("AccountName", str)
#: What a site calls an identity provider.
ProviderName = NewType("ProviderName", str)
#: ``account:NAME``, ``group:NAME`` or ``authenticated``: who a grant is for.
Principal = NewType("Principal", str)

AUTHENTICATED = Principal("authenticated")

#: PEP 752 serves ``/namespaces`` and ``/namespace/`` beside the projects.
RESERVED_PROJECTS = frozenset({"namespaces", "namespace"})

_PROJECT = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)
_ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9._@+-]*[a-z0-9])?\Z", re.ASCII)
_FILE = re.compile(r"[A-Z0-9][A-Z0-9._+!-]*\Z", re.IGNORECASE | re.ASCII)

_PREFIX = re.compile(r"[A-Z0-9][A-Z0-9._-]*\Z", re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")

_PROJECT_LENGTH = 200
_ACCOUNT_LENGTH = 200
_FILE_LENGTH = 240


def project_name(raw: str, *, field: str = "name") -> ProjectName:
    """Return the normalized name (PEP 503) of the project that ``raw`` spells.

    Raises ``Rejected`` if it is no name by the names specification
    (letters, digits, ``.``, ``-``, ``_``; a letter or digit at both ends).
    """
    if len(raw) > _PROJECT_LENGTH or not _PROJECT.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} is not a project name. Use up to {_PROJECT_LENGTH} ASCII letters, "
            "digits, '.', '-' and '_', with a letter or digit at both ends.",
            field=field,
        )
    return ProjectName(canonicalize_name(raw))


def project_prefix(raw: str, *, field: str = "prefix") -> str:
    """Return how normalized names (PEP 503) begin that are spelled with ``raw`` first.

    Raises ``Rejected`` if no name begins so.
    """
    if len(raw) > _PROJECT_LENGTH or not _PREFIX.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} begins no project name. Use up to {_PROJECT_LENGTH} ASCII letters, "
            "digits, '.', '-' and '_', with a letter or digit first.",
            field=field,
        )
    return _SEPARATORS.sub("-", raw).lower()


def file_name(raw: str, *, field: str = "content") -> FileName:
    """Return ``raw`` as a file name, or raise ``Rejected``.

    Only what the names of wheels and sdists are made of is taken, and at most
    240 characters; whether it is such a name is for the archive's inspection.
    """
    if not _FILE.match(raw):
        raise Rejected(
            f"{field}: {_shown(raw)} is not a file name. Use ASCII letters, digits, '.', '-', '_', '+' "
            "and '!', with a letter or digit first.",
            field=field,
        )
    if len(raw) > _FILE_LENGTH:
        raise Rejected(f"{field}: the file name is longer than {_FILE_LENGTH} characters.", field=field)
    return FileName(raw)


def account_name(raw: str, *, field: str = "account") -> AccountName:
    """Return the account name that ``raw`` spells, in lower case, or raise ``Rejected``."""
    folded = raw.lower()
    if len(folded) > _ACCOUNT_LENGTH or not _ACCOUNT.match(folded):
        raise Rejected(
            f"{field}: {_shown(raw)} is not an account name. Use ASCII letters, digits, '.', '-', '_', "
            "'+' and '@', with a letter or digit at both ends.",
            field=field,
        )
    return AccountName(folded)


def service_name(kind: str, owner: str) -> AccountName:
    """Return the name of the service account of a project or a group, or raise ``Rejected``."""
    name = f"{kind}:{owner}"
    if len(name) > _ACCOUNT_LENGTH:
        longest = _ACCOUNT_LENGTH - len(kind) - 1
        raise Rejected(
            f"service: a {kind} whose name has more than {longest} characters has no service account.",
            field="service",
        )
    return AccountName(name)


def is_service_name(name: str) -> bool:
    """Whether an account of this name is a service account: it belongs to a project or a group."""
    return ":" in name


def account_principal(name: AccountName) -> Principal:
    """Return the principal of one account."""
    return Principal(f"account:{name}")


def is_service_principal(value: Principal) -> bool:
    """Whether ``value`` is the principal of a service account."""
    kind, _, name = value.partition(":")
    return kind == "account" and is_service_name(name)


def provider_group(provider: ProviderName, group: str) -> Principal:
    """Return the principal of a group at an identity provider; no group of ours has a slash."""
    return Principal(f"group:{provider}/{group}")


def principal(raw: str) -> Principal:
    """Return the principal that ``raw`` names (``account:ada``), or raise ``Rejected``."""
    kind, separator, name = raw.partition(":")
    if kind != "account" or not separator:
        raise Rejected(f"principal: {_shown(raw)} names nobody. Write account:NAME.", field="principal")
    return account_principal(account_name(name, field="principal"))


def principal_account(value: Principal) -> AccountName:
    """Return the account that an ``account:`` principal names."""
    return AccountName(value.partition(":")[2])


def _shown(raw: str) -> str:
    """``raw`` shortened and in quotes, with everything escaped that cannot be printed."""
    return repr(raw if len(raw) <= 60 else raw[:57] + "...")
