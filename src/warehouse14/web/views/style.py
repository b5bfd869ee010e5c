"""Every component of the pages beside the others, for those who change the look."""

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.model import FoundProject, Latest
from warehouse14.domain.names import ProjectName
from warehouse14.web.html import show
from warehouse14.web.paging import Paging
from warehouse14.web.readme import plain, render
from warehouse14.web.resources.browser import StylePage

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
"""


@view_config(context=StylePage, request_method="GET", permission=Permission.BROWSE)
def style(context: StylePage, request: Request) -> Response:  # noqa: ARG001
    """Show every component, where ``warehouse14.style_page`` is set."""
    if not request.registry.site.style_page:
        raise HTTPNotFound
    latest = Latest("1.0", "What the project is for, in one line", request.registry.warehouse.now())
    projects = [
        FoundProject(ProjectName("demo"), "demo", False, latest),
        FoundProject(ProjectName("open"), "Open.Project", True, latest),
        FoundProject(ProjectName("empty"), "empty", False, None),
    ]
    return show(
        request,
        "style",
        projects=projects,
        paging=Paging(7, 10, 200),
        readme=render(_README, "text/markdown", ()) or plain(_README),
    )
