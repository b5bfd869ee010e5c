"""Accounts, groups, logins, tokens and sessions as items, and back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.rows import at, known, read, written
from warehouse14.domain.model import (
    Account,
    Begun,
    Group,
    Login,
    Looked,
    Reach,
    Scope,
    Session,
    Token,
    Vouched,
)
from warehouse14.domain.names import (
    AccountName,
    GroupName,
    Principal,
    ProjectName,
    ProviderName,
    is_service_name,
)


def account_items(account: Account) -> list[dict[str, Any]]:
    """Return an account, and its place in the list of all."""
    row = at(
        keys.account(account.name),
        name=account.name,
        administrator=account.administrator,
        created=written(account.created_at),
        password=account.password_hash,
        disabled=account.disabled,
        once=account.password_once,
        vouched=None if account.vouched is None else vouched_part(account.vouched),
        signed_in=written(account.signed_in_at),
    )
    return [row, at((keys.ACCOUNTS, account.name))]


def account(item: Item) -> Account:
    """Return an account."""
    return Account(
        name=AccountName(item["name"]),
        administrator=item["administrator"],
        created_at=known(item["created"]),
        password_hash=item.get("password"),
        disabled=item["disabled"],
        password_once=item["once"],
        vouched=_vouched(item.get("vouched")),
        signed_in_at=read(item.get("signed_in")),
    )


def vouched_part(vouched: Vouched) -> dict[str, Any]:
    """Return what an account says of its identity providers."""
    return {
        "at": written(vouched.at),
        "email": vouched.email,
        "groups": sorted(vouched.groups),
        "kept_out": sorted(vouched.kept_out),
        "seen": {provider: written(when) for provider, when in vouched.seen.items()},
    }


def _vouched(part: Item | None) -> Vouched | None:
    if part is None:
        return None
    return Vouched(
        at=known(part["at"]),
        email=part.get("email"),
        groups=frozenset(map(Principal, part["groups"])),
        kept_out=frozenset(map(ProviderName, part["kept_out"])),
        seen={ProviderName(provider): known(when) for provider, when in part["seen"].items()},
    )


def group_item(group: Group) -> dict[str, Any]:
    """Return a group without its members."""
    return at(
        keys.group(group.name),
        name=group.name,
        created=written(group.created_at),
        by=group.created_by,
        deleted=written(group.deleted_at),
    )


def member_items(name: GroupName, account: AccountName, admin: bool) -> list[dict[str, Any]]:
    """Return a member, with its group and with its account."""
    parts = {"group": name, "account": account, "admin": admin}
    return [at(keys.member(name, account), **parts), at(keys.membership(account, name), **parts)]


def groups(items: Iterable[Item]) -> list[Group]:
    """Return the groups of these items: each is followed by its members.

    A query that meets the middle of a commit may show members without their group, which follow another.
    """
    found: list[Group] = []
    members: dict[AccountName, bool] = {}
    for item in items:
        if "account" not in item:
            members = {}
            found.append(_group(item, members))
        elif found and item["group"] == found[-1].name:
            members[AccountName(item["account"])] = item["admin"]
    return found


def _group(item: Item, members: dict[AccountName, bool]) -> Group:
    return Group(
        name=GroupName(item["name"]),
        created_at=known(item["created"]),
        created_by=item["by"],
        members=members,
        deleted_at=read(item.get("deleted")),
    )


def login_items(login: Login) -> list[dict[str, Any]]:
    """Return a login, and its note with its account."""
    row = at(
        keys.login(login.issuer, login.subject),
        issuer=login.issuer,
        subject=login.subject,
        provider=login.provider,
        account=login.account,
        created=written(login.created_at),
    )
    note = at(keys.login_of(login.account, login.issuer, login.subject), to=row["pk"])
    return [row, note]


def login(item: Item) -> Login:
    """Return a login."""
    return Login(
        issuer=item["issuer"],
        subject=item["subject"],
        provider=ProviderName(item["provider"]),
        account=AccountName(item["account"]),
        created_at=known(item["created"]),
    )


def token_items(token: Token) -> list[dict[str, Any]]:
    """Return a token, and its note with its account."""
    row = at(
        keys.token(token.id),
        id=token.id,
        account=token.account,
        name=token.name,
        scopes=sorted(scope.value for scope in token.scopes),
        project=token.reach.project,
        prefix=token.reach.prefix,
        secret=token.secret_sha256,
        created=written(token.created_at),
        expires=written(token.expires_at),
        days=token.days,
        addresses=list(token.addresses),
        used=written(token.last_used_at),
        used_from=token.last_used_from,
        used_by=token.last_used_by,
        revoked=written(token.revoked_at),
    )
    return [row, at(keys.token_of(token.account, token.id), to=row["pk"]), *ending_items(row)]


def ending_items(row: Item) -> list[dict[str, Any]]:
    """Return the note of a token among those of services that end, if it is one of them."""
    if not is_service_name(row["account"]) or row.get("expires") is None or row.get("revoked") is not None:
        return []
    return [at(ending(row), to=row["pk"], account=row["account"])]


def ending(row: Item) -> keys.Key:
    """Return where a token is noted if it is one of a service that ends."""
    return keys.ENDING, f"{row.get('expires')}#{row['id']}"


def token(item: Item) -> Token:
    """Return a token."""
    project = item.get("project")
    return Token(
        id=item["id"],
        account=AccountName(item["account"]),
        name=item["name"],
        scopes=frozenset(map(Scope, item["scopes"])),
        reach=Reach(None if project is None else ProjectName(project), item.get("prefix")),
        secret_sha256=item["secret"],
        created_at=known(item["created"]),
        expires_at=read(item.get("expires")),
        days=item.get("days"),
        addresses=tuple(item["addresses"]),
        last_used_at=read(item.get("used")),
        last_used_from=item["used_from"],
        last_used_by=item["used_by"],
        revoked_at=read(item.get("revoked")),
    )


def session_items(session: Session) -> list[dict[str, Any]]:
    """Return a session, and its notes with its account and with the provider's session that it came from."""
    begun = session.begun
    row = at(
        keys.session(session.id),
        id=session.id,
        account=session.account,
        created=written(session.created_at),
        seen=written(session.seen_at),
        origin=session.origin,
        agent=session.agent,
        looks=looks_part(session.looks),
        begun=None if begun is None else _begun_part(begun),
    )
    return [row, *(at(key) for key in session_notes(row))]


def session_notes(row: Item) -> list[keys.Key]:
    """Return where a session is noted."""
    notes = [keys.session_of(AccountName(row["account"]), row["id"])]
    begun = row.get("begun")
    if begun is not None:
        kinds = [("subject", begun["subject"]), ("sid", begun.get("sid"))]
        notes += [
            (keys.of_begun(begun["issuer"], kind, value), row["id"])
            for kind, value in kinds
            if value is not None
        ]
    return notes


def looks_part(looks: Mapping[Looked, datetime]) -> dict[str, Any]:
    """Return what a session looks into, and until when."""
    return {looked: written(until) for looked, until in looks.items()}


def session(item: Item) -> Session:
    """Return a session."""
    return Session(
        id=item["id"],
        account=AccountName(item["account"]),
        created_at=known(item["created"]),
        seen_at=known(item["seen"]),
        origin=item["origin"],
        agent=item["agent"],
        begun=_begun(item.get("begun")),
        looks={_looked(name): known(until) for name, until in item["looks"].items()},
    )


def _looked(name: str) -> Looked:
    return Principal(name) if ":" in name else ProjectName(name)


def _begun_part(begun: Begun) -> dict[str, Any]:
    return {
        "provider": begun.provider,
        "issuer": begun.issuer,
        "subject": begun.subject,
        "sid": begun.sid,
        "id_token": begun.id_token,
    }


def _begun(part: Item | None) -> Begun | None:
    if part is None:
        return None
    provider = ProviderName(part["provider"])
    return Begun(provider, part["issuer"], part["subject"], part.get("sid"), part["id_token"])
