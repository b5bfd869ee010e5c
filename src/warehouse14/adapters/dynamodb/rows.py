"""Projects, files and entries as items, and back. Names are short where there are many of them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from warehouse14.adapters.dynamodb import keys
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.keys import Key
from warehouse14.domain.model import (
    Change,
    File,
    FileType,
    FoundProject,
    Latest,
    Project,
    ProjectSummary,
    Role,
    Yank,
    searched_text,
)
from warehouse14.domain.names import AccountName, FileName, GroupName, Principal, ProjectName


def at(key: Key, **parts: Any) -> dict[str, Any]:
    """Return an item that stands at ``key``."""
    return {"pk": key[0], "sk": key[1], **parts}


def written(moment: datetime | None) -> str | None:
    """Return a time as text that sorts as times do."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def read(text: str | None) -> datetime | None:
    """Return the time that a text says."""
    return None if text is None else datetime.fromisoformat(text)


def known(text: str) -> datetime:
    """Return the time that a text says which is there."""
    return datetime.fromisoformat(text)


def project_item(project: Project) -> dict[str, Any]:
    """Return a project without its grants."""
    latest = project.latest
    return at(
        keys.project(project.name),
        name=project.name,
        display=project.display_name,
        public=project.public,
        created=written(project.created_at),
        by=project.created_by,
        serial=project.serial,
        deleted=written(project.deleted_at),
        version=latest and latest.version,
        summary=latest and latest.summary,
        latest=written(latest.at) if latest else None,
    )


def project(item: Item, grants: Mapping[Principal, Role]) -> Project:
    """Return a project with its grants."""
    return Project(
        name=ProjectName(item["name"]),
        display_name=item["display"],
        public=item["public"],
        created_at=known(item["created"]),
        created_by=item["by"],
        grants=grants,
        serial=item["serial"],
        deleted_at=read(item.get("deleted")),
        latest=_latest(item),
    )


def of_project(items: Iterable[Item]) -> list[Item]:
    """Return the item of a project and those of its grants, out of its partition.

    There is nothing as long as a query that meets the middle of a commit shows grants without their project.
    """
    found = [item for item in items if "p" not in item]
    return found if found and found[0]["sk"] == keys.ROW else []


def _latest(item: Item) -> Latest | None:
    if item.get("version") is None:
        return None
    return Latest(item["version"], item["summary"], known(item["latest"]))


def listing_item(row: Item) -> dict[str, Any]:
    """Return the line of a project in its list."""
    kept = {name: row.get(name) for name in ("display", "public", "serial", "version", "summary", "latest")}
    sought = searched_text(ProjectName(row["name"]), row["display"], _latest(row))
    # Whether it says something of its files, see marking.
    marked = True if row.get("marks") else None
    place = (list_of(row), row["name"])
    return at(place, name=row["name"], sought=sought, marked=marked, **kept)


def list_of(row: Item) -> str:
    """Return the partition of the list that a project is in."""
    if row.get("deleted") is not None:
        return keys.DELETED
    return keys.PUBLIC if row["public"] else keys.PRIVATE


def summary(item: Item) -> ProjectSummary:
    """Return the line of a project, or of its list."""
    return ProjectSummary(ProjectName(item["name"]), item["display"], item["public"], item["serial"])


def found_project(item: Item) -> FoundProject:
    """Return a project, or its line of a list, as a search finds it."""
    return FoundProject(ProjectName(item["name"]), item["display"], item["public"], _latest(item))


def grant_items(name: ProjectName, who: Principal, role: Role) -> list[dict[str, Any]]:
    """Return a grant, with its project and with its principal."""
    parts = {"who": who, "role": role.value, "project": name}
    return [at(keys.grant(name, who), **parts), at(keys.granted(who, name), **parts)]


def grants(items: Iterable[Item]) -> dict[Principal, Role]:
    """Return who has what role."""
    return {Principal(item["who"]): Role(item["role"]) for item in items}


def file_item(file: File) -> dict[str, Any]:
    """Return a file. A page of a thousand is to be one answer: digests go as bytes."""
    return at(
        keys.file(file.project, file.filename),
        p=file.project,
        n=file.filename,
        v=file.version,
        t=file.filetype.value,
        s=file.size,
        h=bytes.fromhex(file.sha256),
        b=bytes.fromhex(file.blake2_256),
        r=file.requires_python,
        y=file.summary,
        m=None if file.metadata_sha256 is None else bytes.fromhex(file.metadata_sha256),
        u=written(file.uploaded_at),
        w=file.uploaded_by,
        k=None if file.yank is None else yank_part(file.yank),
        x=written(file.deleted_at),
    )


def yank_part(yank: Yank) -> dict[str, Any]:
    """Return what a file says of its being yanked."""
    return {"reason": yank.reason, "at": written(yank.at), "by": yank.by}


def file(item: Item) -> File:
    """Return a file. One that is yanked no more may have an empty yank."""
    yank, metadata = item.get("k"), item.get("m")
    return File(
        project=ProjectName(item["p"]),
        filename=FileName(item["n"]),
        version=item["v"],
        filetype=FileType(item["t"]),
        size=item["s"],
        sha256=item["h"].hex(),
        blake2_256=item["b"].hex(),
        requires_python=item.get("r"),
        summary=item["y"],
        metadata_sha256=None if metadata is None else metadata.hex(),
        uploaded_at=known(item["u"]),
        uploaded_by=item["w"],
        yank=None if not yank else Yank(yank["reason"], known(yank["at"]), yank["by"]),
        deleted_at=read(item.get("x")),
    )


def entry_items(change: Change) -> list[dict[str, Any]]:
    """Return an entry of the journal, once for each partition that it is looked for in."""
    parts = {
        "serial": change.serial,
        "action": change.action,
        "at": written(change.at),
        "actor": change.actor,
        "origin": change.origin,
        "project": change.project,
        "account": change.account,
        "token": change.token,
        "group": change.group,
        "by_token": change.by_token,
        "detail": dict(change.detail),
    }
    places = [keys.JOURNAL, *(keys.of_entries(kind, value) for kind, value in named(change))]
    return [at((partition, keys.place(change.serial)), **parts) for partition in places]


def named(change: Change) -> list[tuple[str, str]]:
    """Return what an entry names and is looked for by, each kind and value once."""
    pairs = [
        ("project", change.project),
        ("group", change.group),
        ("concerning", change.actor),
        ("concerning", change.account),
        ("token", change.token),
        ("token", change.by_token),
    ]
    return list(dict.fromkeys((kind, value) for kind, value in pairs if value))


def entry(item: Item) -> Change:
    """Return an entry of the journal."""
    project, account, group = item.get("project"), item.get("account"), item.get("group")
    return Change(
        action=item["action"],
        at=known(item["at"]),
        actor=item["actor"],
        origin=item["origin"],
        project=None if project is None else ProjectName(project),
        account=None if account is None else AccountName(account),
        token=item.get("token"),
        detail=item["detail"],
        serial=item["serial"],
        group=None if group is None else GroupName(group),
        by_token=item.get("by_token"),
    )
