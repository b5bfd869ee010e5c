"""The Simple API's pages as bytes, kept in memory until the journal says that they changed."""

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup, escape

from warehouse14.domain.access import Identity
from warehouse14.domain.followed import PROJECTS, project_tag
from warehouse14.domain.index import Index
from warehouse14.domain.model import Project
from warehouse14.domain.simple import API_VERSION, FileLine, ProjectList, ProjectPage
from warehouse14.web.negotiation import Form, Offer

_GZIP_LEVEL = 6
_OVERHEAD = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is sent: its bytes, their ETag, and all headers."""

    body: bytes
    etag: str
    headers: Sequence[tuple[str, str]]


class Pages:
    """Renders pages, each once."""

    def __init__(self, index: Index, templates: Environment) -> None:
        self._index = index
        templates.filters["attribute"] = attribute
        self._project_html = templates.get_template("simple_project.jinja2")
        self._list_html = templates.get_template("simple_list.jinja2")

    def project(self, project: Project, offer: Offer, root: str, *, compressed: bool) -> Page:
        """Return the page of ``project``; ``root`` is the relative address of the site's root."""

        def render() -> tuple[str, int, int]:
            page, serial = self._index.project_page(project)
            text = (
                project_json(page, root)
                if offer.form is Form.JSON
                else self._project_html.render(page=page, version=API_VERSION, href=_href(page, root))
            )
            return text, page.serial, serial

        key = ("project-page", project.name, offer, root, compressed)
        return self._kept(key, [project_tag(project.name)], render, offer, compressed=compressed)

    def projects(self, identity: Identity, offer: Offer, *, compressed: bool) -> Page:
        """Return the list of the projects that ``identity`` may read."""

        def render() -> tuple[str, int, int]:
            page, serial = self._index.project_list(identity)
            text = (
                list_json(page)
                if offer.form is Form.JSON
                else self._list_html.render(page=page, version=API_VERSION)
            )
            return text, page.serial, serial

        reach = identity.token and identity.token.reach
        key = ("project-list", identity.principals, reach, offer, compressed)
        return self._kept(key, [PROJECTS], render, offer, compressed=compressed)

    def _kept(
        self,
        key: tuple[Any, ...],
        tags: Sequence[str],
        render: Callable[[], tuple[str, int, int]],
        offer: Offer,
        *,
        compressed: bool,
    ) -> Page:
        page: Page | None = self._index.cache.get(key)
        if page is None:
            text, last_serial, serial = render()
            page = _page(text.encode("utf-8"), offer, last_serial, compressed=compressed)
            size = len(page.body) + _OVERHEAD
            self._index.cache.put(key, page, size=size, tags=tags, serial=serial)
        return page


def _page(body: bytes, offer: Offer, last_serial: int, *, compressed: bool) -> Page:
    if compressed:
        body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
    digest = hashlib.sha256(offer.media_type.encode("ascii") + b"\0" + body).hexdigest()
    etag = f'"{digest[:40]}"'
    content_type = offer.media_type + ("; charset=UTF-8" if offer is Offer.TEXT else "")
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("ETag", etag),
        ("Cache-Control", "no-cache, private"),
        ("Vary", "Accept, Accept-Encoding, Authorization"),
        ("X-PyPI-Last-Serial", str(last_serial)),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if compressed:
        headers.append(("Content-Encoding", "gzip"))
    return Page(body, etag, tuple(headers))


def project_json(page: ProjectPage, root: str) -> str:
    """Return a project's page as JSON (PEP 691, 700, 714)."""
    href = _href(page, root)
    return _dumps(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": page.serial},
            "name": page.name,
            "versions": page.versions,
            "files": [_file_json(line, href(line)) for line in page.files],
        }
    )


def list_json(page: ProjectList) -> str:
    """Return a list of projects as JSON (PEP 691)."""
    return _dumps(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": page.serial},
            "projects": [{"name": project.name, "_last-serial": project.serial} for project in page.projects],
        }
    )


def _file_json(line: FileLine, url: str) -> dict[str, Any]:
    known: dict[str, Any] = {
        "filename": line.filename,
        "url": url,
        "hashes": {"sha256": line.sha256},
        "size": line.size,
        "upload-time": _upload_time(line.uploaded_at),
        "yanked": False if line.yanked is None else line.yanked or True,
        "core-metadata": {"sha256": line.metadata_sha256} if line.metadata_sha256 else False,
    }
    if line.requires_python is not None:
        known["requires-python"] = line.requires_python
    return known


def _href(page: ProjectPage, root: str) -> Callable[[FileLine], str]:
    folder = f"{root}packages/{page.name}/"
    return lambda line: folder + quote(line.filename, safe="")


def _upload_time(at: datetime) -> str:
    """PEP 700: ``yyyy-mm-ddThh:mm:ss.ffffffZ``."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _dumps(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def attribute(value: str) -> Markup:
    """Escape ``value`` for an attribute, line breaks too: some clients read tags line by line."""
    escaped = str(escape(value))
    for character in "\n\r\t":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return Markup(escaped)  # noqa: S704
