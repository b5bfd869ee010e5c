"""What core metadata says of a release, for people to read.

The files were inspected when they came; what is malformed here is left out,
never an error: an old file must not take a page down.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import getaddresses

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement

from warehouse14.domain.errors import Rejected
from warehouse14.domain.names import ProjectName, project_name

_EXTRA = re.compile(r"""\bextra\s*==\s*(['"])([^'"]+)\1""")
_NOT_IN_LABELS = re.compile(r"[^a-z0-9]+")
_MOST_ENTRIES = 1000

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
    raw, unparsed = parse_email(metadata)
    return Details(
        summary=raw.get("summary", ""),
        description=raw.get("description", "") or "\n".join(unparsed.get("description", [])),
        content_type=raw.get("description_content_type", ""),
        license=_license(raw),
        keywords=tuple(word.strip() for word in raw.get("keywords", ()) if word.strip())[:_MOST_ENTRIES],
        authors=_people(raw.get("author", ""), raw.get("author_email", "")),
        maintainers=_people(raw.get("maintainer", ""), raw.get("maintainer_email", "")),
        links=_links(raw),
        dependencies=_dependencies(raw.get("requires_dist", ())),
        classifiers=_classifiers(raw.get("classifiers", ())),
    )


def _license(raw: RawMetadata) -> str:
    """Return the licence expression (PEP 639), or the first line of the older field."""
    expression = raw.get("license_expression", "")
    lines = raw.get("license", "").strip().splitlines()
    return expression or (lines[0][:200] if lines else "")


def _people(names: str, addresses: str) -> tuple[Person, ...]:
    """Return the people in a name field and an address field: an address may bring a name of its own."""
    found = [Person(name, email) for name, email in getaddresses([addresses]) if name or "@" in email]
    if names.strip() and len(found) == 1 and not found[0].name:
        return (Person(names.strip(), found[0].email),)
    named = [Person(names.strip(), "")] if names.strip() else []
    return tuple([*named, *found][:_MOST_ENTRIES])


def _links(raw: RawMetadata) -> tuple[Link, ...]:
    """Return the links; the two older fields count only where no newer one says the same (PEP 753)."""
    links = [Link(_label(label), url.strip()) for label, url in raw.get("project_urls", {}).items()]
    known = {link.label for link in links}
    for label, url in (("Homepage", raw.get("home_page", "")), ("Download", raw.get("download_url", ""))):
        if url.strip() and label not in known:
            links.append(Link(label, url.strip()))
    return tuple(links[:_MOST_ENTRIES])


def _label(raw: str) -> str:
    return _LABELS.get(_NOT_IN_LABELS.sub("", raw.lower()), raw)


def _dependencies(requirements: Sequence[str]) -> Mapping[str, tuple[Dependency, ...]]:
    grouped: dict[str, list[Dependency]] = {}
    for text in requirements[:_MOST_ENTRIES]:
        match = _EXTRA.search(text.partition(";")[2])
        grouped.setdefault(match[2] if match else "", []).append(_dependency(text))
    return {extra: tuple(grouped[extra]) for extra in sorted(grouped)}


def _dependency(text: str) -> Dependency:
    try:
        requirement = Requirement(text)
        project = project_name(requirement.name)
    except (InvalidRequirement, Rejected):
        return Dependency(None, text, "")
    return Dependency(project, requirement.name, text.strip()[len(requirement.name) :].strip())


def _classifiers(classifiers: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for classifier in list(classifiers)[:_MOST_ENTRIES]:
        group, separator, rest = classifier.partition(" :: ")
        grouped.setdefault(group if separator else "Other", []).append(rest if separator else group)
    return {group: tuple(sorted(grouped[group])) for group in sorted(grouped)}
