"""Pages of projects in the Simple API as bytes, kept until the journal says that they changed."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup, escape

from warehouse14.domain.followed import project_tag
from warehouse14.domain.index import Index
from warehouse14.domain.model import Project
from warehouse14.domain.simple import API_VERSION, FileLine, ProjectPage
from warehouse14.web.negotiation import Form, Offer
from warehouse14.web.page import OVERHEAD, Page, finished

_GZIP_LEVEL = 6


class Pages:
    """Renders the pages of projects, each once."""

    def __init__(self, index: Index, templates: Environment) -> None:
        self._index = index
        templates.filters["attribute"] = attribute
        self._html = templates.get_template("simple_project.jinja2")

    def project(self, project: Project, offer: Offer, root: str, *, compressed: bool) -> Page:
        """Return the page of ``project``; ``root`` is the relative address of the site's root."""
        key = ("project-page", project.name, offer, root, compressed)
        kept: Page | None = self._index.cache.get(key)
        if kept is not None:
            return kept
        page, serial = self._index.project_page(project)
        body = self._text(page, offer, root).encode("utf-8")
        if compressed:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
        made = finished(body, offer, page.serial, compressed=compressed)
        size = len(body) + OVERHEAD
        self._index.cache.put(key, made, size=size, tags=[project_tag(project.name)], serial=serial)
        return made

    def _text(self, page: ProjectPage, offer: Offer, root: str) -> str:
        if offer.form is Form.JSON:
            return project_json(page, root)
        return self._html.render(page=page, version=API_VERSION, href=_href(page, root))


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
