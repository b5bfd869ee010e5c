"""Every component of the pages beside the others, for those who change the look."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from packaging.version import Version
from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.model import File, FileType, FoundProject, Latest, Release, Yank
from warehouse14.domain.names import FileName, ProjectName
from warehouse14.web.html import show
from warehouse14.web.paging import Paging
from warehouse14.web.readme import plain, render
from warehouse14.web.release import FileLine, VersionLine
from warehouse14.web.resources.browser import StylePage
from warehouse14.web.wheels import describe

_README = """# A heading

Text with **strong**, *emphasis*, `code` and a [link](https://example.com/).

> A quotation.

* a list
* of things

1. in order
2. too

| a | table |
|---|---|
| with | cells |

```python
def answer() -> int:
    return 42  # said quickly
```

- [x] done
- [ ] to do

## A heading below it

### And one below that

#### And the least
"""


@view_config(context=StylePage, request_method="GET", permission=Permission.BROWSE)
def style(context: StylePage, request: Request) -> Response:  # noqa: ARG001
    """Show every component, where ``warehouse14.style_page`` is set."""
    if not request.registry.site.style_page:
        raise HTTPNotFound
    now = request.registry.warehouse.now()
    latest = Latest("1.0", "What the project is for, in one line", now)
    files = _files(now)
    projects = [
        FoundProject(ProjectName("demo"), "demo", False, latest),
        FoundProject(ProjectName("open"), "Open.Project", True, latest),
        FoundProject(ProjectName("empty"), "empty", False, None),
    ]
    return show(
        request,
        "style",
        projects=projects,
        files=[FileLine(file, describe(file.filename)) for file in files],
        versions=_versions(files),
        paging=Paging(7, 10, 200),
        readme=render(_README, "text/markdown", ()) or plain(_README),
        plain=plain(_README),
    )


def _files(now: datetime) -> Sequence[File]:
    """Return a file of each kind, the last of them yanked."""
    yank = Yank("Does not start, use 1.0", now, "ada")
    return [
        _file("demo-1.0.tar.gz", "1.0", now),
        _file("demo-1.0-cp311-abi3-manylinux_2_28_x86_64.whl", "1.0", now),
        _file("demo-0.9-py3-none-any.whl", "0.9", now - timedelta(days=30), yank),
    ]


def _file(name: str, version: str, at: datetime, yank: Yank | None = None) -> File:
    return File(
        project=ProjectName("demo"),
        filename=FileName(name),
        version=version,
        filetype=FileType.WHEEL if name.endswith(".whl") else FileType.SDIST,
        size=1_234_567,
        sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        blake2_256="",
        requires_python=">=3.11",
        summary="",
        metadata_sha256=None,
        uploaded_at=at,
        uploaded_by="ada",
        yank=yank,
    )


def _versions(files: Sequence[File]) -> Sequence[VersionLine]:
    """Return a pre-release, the latest release, and one that is yanked."""
    first, _, yanked = files
    return [
        VersionLine(Release(Version("2.0rc1"), (first,)), is_latest=False, is_shown=False),
        VersionLine(Release(Version("1.0"), (first,)), is_latest=True, is_shown=True),
        VersionLine(Release(Version("0.9"), (yanked,)), is_latest=False, is_shown=False),
    ]
