"""What core metadata says of a release, for people to read.

The files were inspected when they came; what is malformed here is left out,
never an error: an old file must not take a page down.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import ProjectName, project_name

_MOST_ENTRIES = 1000
#: More of one field than this is not shown, but for the description. In characters.
_FIELD_LENGTH = 2000
_PEOPLE_LENGTH = 20_000
_LICENSE_LENGTH = 200
#: Classifiers of a licence that name none.
_NO_LICENSE = frozenset({"License", "OSI Approved"})
#: A longer requirement is not taken apart, which takes time.
_REQUIREMENT_LENGTH = 250
#: How many brackets one may have: what they nest is read by going back and forth.
_REQUIREMENT_BRACKETS = 20
_BLANK_LINE = re.compile(r"\n\n|\A\n")
#: What older tools write before each further line of a description that is a field.
_CONTINUED = ("       |", "        ")

#: The parts of a marker: strings, names and operators.
_MARKER = re.compile(r"""'[^']*'|"[^"]*"|[\w.]+|[=!<>~]+""")
#: One of several people: a name, in quotes or without, and an address; what is behind that says nothing.
_PERSON = re.compile(r"""\s*(?:"([^"]*)"|([^",<>]*))[^,<>]*(?:<([^<>]*)>)?[^,]*(?:,|\Z)""")
_NOT_IN_LABELS = re.compile(r"[\W_]+")

#: The labels that are shown in the same words whoever wrote them (well-known project URLs).
_WELL_KNOWN = {
    "Homepage": ("homepage",),
    "Source": ("source", "repository", "sourcecode", "github"),
    "Download": ("download",),
    "Changelog": ("changelog", "changes", "whatsnew", "history"),
    "Release notes": ("releasenotes",),
    "Documentation": ("documentation", "docs"),
    "Issues": ("issues", "bugs", "issue", "tracker", "issuetracker", "bugtracker"),
    "Funding": ("funding", "sponsor", "donate", "donation"),
}
_LABELS = {spelling: label for label, spellings in _WELL_KNOWN.items() for spelling in spellings}


@dataclass(frozen=True, slots=True)
class Person:
    """An author or maintainer. Either part may be empty."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Link:
    """A project URL with the label that people know."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """One requirement: the project, and what is said of it beside its name."""

    project: ProjectName | None
    name: str
    rest: str


@dataclass(frozen=True, slots=True)
class Details:
    """The parts of core metadata that a page shows.

    Attributes:
        dependencies: by extra; those that always hold under "".
        classifiers: by their first part, such as "License".
    """

    summary: str = ""
    description: str = ""
    content_type: str = ""
    license: str = ""
    keywords: tuple[str, ...] = ()
    authors: tuple[Person, ...] = ()
    maintainers: tuple[Person, ...] = ()
    links: tuple[Link, ...] = ()
    dependencies: Mapping[str, tuple[Dependency, ...]] = field(default_factory=dict)
    classifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_details(metadata: bytes) -> Details:
    """Return what the bytes of METADATA or PKG-INFO say (the core metadata specification)."""
    text = metadata.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    # Only the fields go to the e-mail parser, as text: no multipart bodies, no encoded words.
    end = _BLANK_LINE.search(text)
    fields, body = (text[: end.start()], text[end.end() :]) if end else (text, "")
    raw, unparsed = parse_email(fields.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return Details(
        summary=_line(raw.get("summary", "")),
        description=body if body.strip() else _unfolded(raw.get("description", "")),
        content_type=_line(raw.get("description_content_type", "")),
        license=_license(raw),
        keywords=_keywords(raw.get("keywords", ())),
        authors=_people(raw.get("author", ""), raw.get("author_email", "")),
        maintainers=_people(raw.get("maintainer", ""), raw.get("maintainer_email", "")),
        links=_links(raw, unparsed.get("project-url", ())),
        dependencies=_dependencies(raw.get("requires_dist", ())),
        classifiers=_classifiers(raw.get("classifiers", ())),
    )


def _line(value: str, length: int = _FIELD_LENGTH) -> str:
    """Return a field as one line; nothing if it is an old tool's placeholder for that."""
    found = " ".join(value[:length].split())
    return "" if found == "UNKNOWN" else found


def _unfolded(description: str) -> str:
    """Return a description that was a field without what stands before each of its further lines."""
    first, *further = description.split("\n")
    for start in _CONTINUED:
        if further and all(line.startswith(start) or not line.strip() for line in further):
            return "\n".join([first, *(line[len(start) :] for line in further)])
    return "" if description.strip() == "UNKNOWN" else description


def _license(raw: RawMetadata) -> str:
    """Return the licence expression (PEP 639), the first line of the older field, or what classifiers say."""
    lines = raw.get("license", "").strip().splitlines()
    field = _line(lines[0])[:_LICENSE_LENGTH] if lines else ""
    return _line(raw.get("license_expression", "")) or field or _classified_license(raw)


def _classified_license(raw: RawMetadata) -> str:
    """Return the last parts of the classifiers of a licence."""
    parts = [_line(classifier).split(" :: ") for classifier in raw.get("classifiers", ())[:_MOST_ENTRIES]]
    named = dict.fromkeys(part[-1] for part in parts if part[0] == "License" and part[-1] not in _NO_LICENSE)
    return ", ".join(named)[:_LICENSE_LENGTH]


def _keywords(words: Iterable[str]) -> tuple[str, ...]:
    shown = dict.fromkeys(_line(word) for word in words)
    return tuple(word for word in shown if word)[:_MOST_ENTRIES]


def _people(names: str, addresses: str) -> tuple[Person, ...]:
    """Return the people in a name field and an address field: an address may bring a name of its own."""
    name, found = _line(names), _addressed(_line(addresses, _PEOPLE_LENGTH))
    if name and len(found) == 1 and not found[0].name:
        return (Person(name, found[0].email),)
    known = {person.name for person in found} | {""}
    return tuple([*([] if name in known else [Person(name, "")]), *found][:_MOST_ENTRIES])


def _addressed(addresses: str) -> list[Person]:
    """Return those who are named or have an address in an address field, each once."""
    found = []
    for quoted, plain, email in _PERSON.findall(addresses):
        name = (quoted or plain).strip()
        if not email and "@" in name and " " not in name:
            name, email = "", name
        if name or "@" in email:
            found.append(Person(name, email.strip()))
    return list(dict.fromkeys(found))


def _links(raw: RawMetadata, unparsed: Iterable[str]) -> tuple[Link, ...]:
    """Return the links; the two older fields count only where no newer one says the same (PEP 753).

    Args:
        raw: the fields.
        unparsed: the links, where a label occurs twice.
    """
    pairs = [*raw.get("project_urls", {}).items()]
    pairs += [(label, url) for label, _, url in (text.partition(",") for text in unparsed)]
    links = [_link(label, url) for label, url in pairs]
    known = {link.label for link in links if link}
    older = (("Homepage", raw.get("home_page", "")), ("Download", raw.get("download_url", "")))
    links += [_link(label, url) for label, url in older if label not in known]
    return tuple(dict.fromkeys(link for link in links if link))[:_MOST_ENTRIES]


def _link(label: str, url: str) -> Link | None:
    """Return a link, or None if it has no address or one that is too long to be one."""
    address = _line(url)
    if not address or len(url) > _FIELD_LENGTH:
        return None
    return Link(_label(_line(label)) or address, address)


def _label(raw: str) -> str:
    return _LABELS.get(_NOT_IN_LABELS.sub("", raw.lower()), raw)


def _dependencies(requirements: Sequence[str]) -> Mapping[str, tuple[Dependency, ...]]:
    grouped: dict[str, list[Dependency]] = {}
    for text in requirements[:_MOST_ENTRIES]:
        dependency, extras = _dependency(_line(text))
        for extra in extras:
            grouped.setdefault(extra, []).append(dependency)
    return {extra: tuple(grouped[extra]) for extra in sorted(grouped)}


def _dependency(text: str) -> tuple[Dependency, Sequence[str]]:
    """Return one requirement, and the extras that it is for; "" if it always holds."""
    try:
        is_plain = len(text) <= _REQUIREMENT_LENGTH and text.count("(") <= _REQUIREMENT_BRACKETS
        requirement = Requirement(text if is_plain else "")
        project = project_name(requirement.name)
    except (InvalidRequirement, Rejected, RecursionError):
        return Dependency(None, text, ""), _extras(text.partition(";")[2])
    rest = text[len(requirement.name) :].strip()
    return Dependency(project, requirement.name, rest), _extras(str(requirement.marker or ""))


def _extras(marker: str) -> Sequence[str]:
    """Return the extras that a marker names (PEP 508), normalized (PEP 685); "" if it names none."""
    parts = _MARKER.findall(marker)
    found = []
    for left, operator, right in zip(parts, parts[1:], parts[2:], strict=False):
        if operator in {"==", "==="} and "extra" in {left, right}:
            found.append(canonicalize_name((left if right == "extra" else right).strip("'\"")))
    return list(dict.fromkeys(found)) or [""]


def _classifiers(classifiers: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    grouped: dict[str, set[str]] = {}
    for classifier in (_line(raw) for raw in classifiers[:_MOST_ENTRIES]):
        group, separator, rest = classifier.partition(" :: ")
        if classifier:
            grouped.setdefault(group if separator else "Other", set()).add(rest if separator else group)
    return {group: tuple(sorted(grouped[group])) for group in sorted(grouped)}
