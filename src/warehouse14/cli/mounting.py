"""Where an ini file mounts an application: the path before every address of it.

Three things in an ini take a part of the path away before the application sees
it: ``url_prefix`` of the server, Paste Deploy's own prefix filter, and a
composite of the kind that urlmap is. What another composite or filter does
with paths is not known here, and counts for nothing.
"""

from collections.abc import Iterator, Mapping

from warehouse14.cli.site import SiteFile

_PREFIX_FILTER = "egg:pastedeploy#prefix"
_URLMAP = "#urlmap"


def mount_point(file: SiteFile) -> str:
    """Return the path at which the file's server mounts the file's application, without a slash at its end.

    The server serves the main application, and with it what that hands
    requests on to; an application that is in none of these is served by
    itself. Of two places the one nearer to the main application counts.
    """
    server = _path(file.server().settings.get("url_prefix", "")) if file.has_server() else ""
    for top in ("main", file.section):
        for name, place in _applications(file, top, server):
            if name == file.section:
                return place
    return server


def _applications(file: SiteFile, top: str, place: str) -> Iterator[tuple[str, str]]:
    """Yield the application ``top`` at ``place`` and all that are below it: the name and place of each."""
    waiting = [(top, place)]
    seen: set[str] = set()
    for name, outside in waiting:
        found = file.application_section(name)
        if found is None or name in seen:
            continue
        seen.add(name)
        kind, settings = found
        inside = _behind(file, settings.get("filter-with", ""), outside)
        yield name, inside
        waiting.extend(_below(file, kind, settings, inside))


def _below(file: SiteFile, kind: str, settings: Mapping[str, str], place: str) -> Iterator[tuple[str, str]]:
    """Yield the applications that the one at ``place`` hands requests on to: the name and place of each."""
    if kind == "pipeline":
        *filters, last = settings.get("pipeline", "").split() or [""]
        for name in filters:
            place = _behind(file, name, place)
        yield last, place
    elif kind == "filter-app":
        yield settings.get("next", ""), _filtered(settings, place)
    elif settings.get("use", "").endswith(_URLMAP):
        for path, name in settings.items():
            if path.startswith("/"):
                yield name, place + _path(path)


def _behind(file: SiteFile, name: str, place: str) -> str:
    """Return the path behind the filter of that name."""
    return _filtered(file.filter_section(name) or {}, place)


def _filtered(settings: Mapping[str, str], place: str) -> str:
    """Return the path behind a filter with these settings."""
    prefixes = settings.get("use", "").lower() == _PREFIX_FILTER
    return place + _path(settings.get("prefix", "")) if prefixes else place


def _path(text: str) -> str:
    """Return a path with one slash before each of its parts, and none at its end."""
    return "".join(f"/{part}" for part in text.strip().split("/") if part)
