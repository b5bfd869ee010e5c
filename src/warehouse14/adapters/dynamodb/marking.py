"""Changes of more files than one transaction takes: a release of hundreds that is yanked or deleted.

The project's item says what has become of them, in the transaction of the
change, and whoever reads files believes it. Their own items follow right
after that, or with the next change of the project if the process was killed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from warehouse14.adapters.dynamodb import keys, rows
from warehouse14.adapters.dynamodb.codec import Item
from warehouse14.adapters.dynamodb.moment import Rows
from warehouse14.adapters.dynamodb.table import check, update
from warehouse14.domain.names import FileName, ProjectName

#: How many files change in one transaction: of its hundred items some say what else has changed.
MOST = 80
#: The part of a project's item that says it, and that of its line in a list which says that there is one.
MARKS, IS_MARKED = "marks", "marked"
#: What changes of a file: its yank, which is empty where it was taken back, and when it was deleted.
_CHANGING: dict[str, dict[str, str] | None] = {"k": {}, "x": None}
#: Where an item is not, as a restoration has taken it away, an update would make one that says nothing else.
_IS_THERE = "attribute_exists(pk)"


def mark(found: Rows, name: ProjectName) -> None:
    """Let the project's item say what becomes of its files if those are many, in the place of theirs."""
    there, row = found.changed_files(), found.get(keys.project(name))
    if row is None or len(there) <= MOST:
        return
    marks: list[dict[str, Any]] = []
    for before, after in there:
        parts = {
            part: after.get(part) or none
            for part, none in _CHANGING.items()
            if after.get(part) != before.get(part)
        }
        found.leave((after["pk"], after["sk"]))
        if not parts:
            continue
        same = [each for each in marks if each["parts"] == parts and len(each["files"]) < MOST]
        if not same:
            marks.append({"files": [], "parts": parts})
        (same or marks)[-1]["files"].append(after["n"])
    if marks:
        found.change(row, **{MARKS: marks})


def marks_of(row: Item | None) -> Mapping[str, Item]:
    """Return what a project's item says of its files, by their names."""
    marks = () if row is None else row.get(MARKS, ())
    return {name: known["parts"] for known in marks for name in known["files"]}


def settling(row: Item, free: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield transactions after which the items of files say what the project's item says of them, and that
    says it no more. Each is for after the one before it, and holds only if ``free`` does and the project has
    not changed since its item was ``row``: whatever changes a file gives its project another serial."""
    name, serial = ProjectName(row["name"]), row["serial"]
    project, line = keys.project(name), (rows.list_of(row), name)
    as_read = f"serial = :serial AND attribute_exists({IS_MARKED})"
    # The line says it as the project's item does, which may be of 400 KB: a check is paid by the size.
    unmoved = check(line, as_read, serial=serial)
    for known in row[MARKS]:
        parts = known["parts"]
        setting = "SET " + ", ".join(f"{part} = :{part}" for part in parts)
        files = [keys.file(name, FileName(each)) for each in known["files"]]
        yield [free, unmoved, *(update(file, setting, _IS_THERE, **parts) for file in files)]
    # Last: whoever does not find it there finds files that were changed before.
    yield [
        free,
        update(project, f"REMOVE {MARKS}", f"serial = :serial AND attribute_exists({MARKS})", serial=serial),
        update(line, f"REMOVE {IS_MARKED}", as_read, serial=serial),
    ]
