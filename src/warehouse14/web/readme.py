"""Descriptions of projects as HTML that is safe to show.

readme-renderer turns Markdown and reStructuredText into HTML and cleans it.
What comes out is then brought down to what this site allows: links to http,
https and mailto, images of its own and from hosts that it trusts (a remote
image tells its owner who reads), and ids and classes that cannot be mistaken
for its own.

Both languages have texts of a few lines that take for ever or all the memory,
and no rule tells them from others; and what is written in Rust may end with
a panic. So all but plain prose is rendered by a process of its own, this file
run as a program, which the system ends when it has had enough; the text is
then shown as it is.
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from markupsafe import Markup

_log = logging.getLogger(__name__)

#: More than this is shown as plain text. In characters.
RENDERED_LENGTH = 200_000
#: More HTML than this is not shown. In characters.
HTML_LENGTH = 2_000_000

#: What the rendering of one text may take: seconds of processor time, seconds, bytes.
_PROCESSOR_SECONDS = 3
_SECONDS = 10
_MEMORY = 1 << 30
#: How many texts are rendered at once, and how long one waits for its turn, in seconds.
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 2.0
#: Short reStructuredText without directives, substitutions and code: nothing in it can take long.
_PROSE = re.compile(r"[^|`:]{0,1000}")
#: What may be lists in lists in lists.
_LISTS = re.compile(r"(?:(?<!\S)(?=\S*[^\w\s])\S{1,6}\s+){3}")
_MARKDOWN = "text/markdown"

#: What no text should hold: control characters but for white space, and halves of characters.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_COMMON_MARK = re.compile(r""";\s*variant\s*=\s*["']?\s*commonmark\b""", re.IGNORECASE)

_SCHEMES = frozenset({"http", "https", "mailto"})
#: What an id in a description begins with, so that it is none of the page's own; and what
#: readme-renderer begins it with, in some links and not in others.
_ID = "readme-"
_RENDERERS_ID = re.compile("^(user-content-)+")
#: The classes that pygments and docutils give to code, and those of GFM's alerts.
_CLASS = re.compile(
    r"[a-z]{1,2}[0-9]?|cpf|err|esc|ges|highlight|code|literal|docutils|align-(left|right|center)"
    r"|admonition(-title)?"
)
_NUMBER = re.compile(r"[0-9]{1,5}")
#: Where an image of this site may lie, below its address. Where clients go, a browser would ask for a name
#: and a password; and below the projects there are large files and no images.
_OWN_IMAGE = re.compile(
    r"/(?!(?:simple|packages|legacy|pypi|projects)(?:/|\Z))\w[\w.-]*(?:/\w[\w.-]*)*", re.ASCII
)
_FIRST_BREAKS = re.compile(r"(<pre\b[^<>]*>)\n+")
#: How often clean HTML is read again until it is written as it was.
_MOST_READINGS = 8
_VOID = frozenset({"br", "hr", "img", "input", "col"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TAGS = _VOID | {
    *("a", "abbr", "acronym", "b", "blockquote", "caption", "cite", "code", "colgroup", "dd", "del"),
    *("details", "div", "dl", "dt", "em", "figcaption", "figure", "i", "kbd", "li", "ol", "p", "pre"),
    *("section", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr"),
    *("tt", "ul", "var"),
}
#: What would be a landmark of the page is none. As browsers read them, these three nest alike; a ``div``
#: in their place could end elsewhere.
_INSTEAD = {"aside": "section", "nav": "section"}
#: The heading that a page has above its description.
_LEVEL_ABOVE = 2


def safe_url(url: str) -> str | None:
    """Return ``url`` if it is an absolute address that a page may link to, else None."""
    stripped = url.strip()
    if not stripped.isprintable() or " " in stripped:
        return None
    try:
        parts = urlsplit(stripped)
    except ValueError:
        return None
    if parts.scheme.lower() not in _SCHEMES or not (parts.netloc or parts.scheme.lower() == "mailto"):
        return None
    return stripped


class Busy(Exception):
    """As many texts as may be are being rendered."""


def render(
    text: str, content_type: str, image_hosts: Sequence[str], site: str | None = None
) -> Markup | None:
    """Return ``text`` as HTML, or None if it cannot be rendered and is to be shown as it is.

    Args:
        text: the description of core metadata.
        content_type: its ``Description-Content-Type``, with parameters; "" means
            reStructuredText, as the core metadata specification says.
        image_hosts: the hosts whose images are shown; others become links.
        site: the address of this site, whose images are shown, too.

    Raises:
        Busy: others are being rendered, and take too long.
    """
    clean = _cleared(text)
    found: str | None = None
    media_type = _media_type(content_type)
    if len(clean) <= RENDERED_LENGTH and media_type in _RENDERERS:
        work = rendered if media_type != _MARKDOWN and _is_prose(clean) else _rendered_apart
        try:
            found = work(clean, content_type, image_hosts, site)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the languages' libraries raise
            _log.debug("a description cannot be rendered: %s", error)
    # What is found was rebuilt from parts that were escaped.
    return None if found is None else Markup(found)  # noqa: S704


def _is_prose(text: str) -> bool:
    return bool(_PROSE.fullmatch(text)) and not _LISTS.search(text)


def plain(text: str) -> Markup:
    """Return ``text`` as it is."""
    return Markup('<pre class="plain">{}</pre>').format(_cleared(text))


def _cleared(text: str) -> str:
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def rendered(text: str, content_type: str, image_hosts: Iterable[str], site: str | None = None) -> str | None:
    """Return ``text`` as HTML for this site, or None if it cannot be rendered, however long that takes."""
    renderer = _RENDERERS.get(_media_type(content_type))
    html = None if renderer is None else renderer(text, content_type)
    settled = None if html is None else _settled(html)
    return None if settled is None else tame(settled, image_hosts, site)


def tame(html: str, image_hosts: Iterable[str], site: str | None = None) -> str | None:
    """Return HTML with what this site allows of it, or None if that is too much of it."""
    reader = _Reader()
    reader.feed(_cleared(html))
    reader.close()
    tamed = _Tamer(reader.events, frozenset(image_hosts), site).tamed()
    return tamed if len(tamed) <= HTML_LENGTH else None


def _settled(html: str) -> str | None:
    """Return clean HTML nested as a browser reads it, or None if there seems to be no such thing.

    ``<li><div><table><li>`` is clean, and it is written as ``<li><div><li></li><table></table></div></li>``
    then; but the second ``<li>`` ends the first, so that ``</div>`` ends what the page has around it. What
    is written as it was read has no such surprise.
    """
    from readme_renderer.clean import clean

    # A browser leaves out the first line break in a <pre>, each time.
    before, found = None, clean(_FIRST_BREAKS.sub(r"\1", html))
    for _ in range(_MOST_READINGS):
        if found is None or found == before:
            return found
        before, found = found, clean(found)
    return None


def _rendered_apart(text: str, content_type: str, image_hosts: Iterable[str], site: str | None) -> str | None:
    """Return what :func:`rendered` returns in a process that is ended if it takes too much.

    Raises ``Busy`` if others take too long: whoever asks for many pages at once gets no more of the machine.
    """
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Busy
    try:
        return _run_apart(text, content_type, image_hosts, site)
    finally:
        _AT_ONCE.release()


def _run_apart(text: str, content_type: str, image_hosts: Iterable[str], site: str | None) -> str | None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-P", __file__],
        input=json.dumps([text, content_type, list(image_hosts), site]).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    found: str | None = json.loads(done.stdout)
    return found


def _main() -> None:
    """Render what stands in the standard input."""
    _limit_resources()
    answer, sys.stdout = sys.stdout, sys.stderr
    answer.write(json.dumps(rendered(*json.load(sys.stdin.buffer))))


def _limit_resources() -> None:
    """Let the system end this process when it has had enough; not every system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        # With one limit that is soft and hard it is killed: a soft one would leave a dump of its memory.
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _markdown(text: str, content_type: str) -> str | None:
    from readme_renderer import markdown

    variant = "CommonMark" if _COMMON_MARK.search(content_type) else "GFM"
    html: str | None = markdown.render(text, variant=variant)
    return html


def _restructuredtext(text: str, content_type: str) -> str | None:  # noqa: ARG001
    from readme_renderer import rst

    html: str | None = rst.render(text)
    return html


_RENDERERS: dict[str, Callable[[str, str], str | None]] = {
    _MARKDOWN: _markdown,
    "text/x-rst": _restructuredtext,
    "": _restructuredtext,
}


@dataclass(frozen=True, slots=True)
class _Text:
    words: str


@dataclass(frozen=True, slots=True)
class _Start:
    tag: str
    given: dict[str, str]

    @property
    def place(self) -> str:
        """Its id, or "" if it has none that a link could name."""
        found = _place(self.given.get("id", ""))
        return "" if any(character.isspace() for character in found) else found


@dataclass(frozen=True, slots=True)
class _End:
    tag: str


_Event = _Text | _Start | _End


class _Reader(HTMLParser):
    """Notes what is in clean HTML, in its order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.events: list[_Event] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; one without an end, such as ``<br/>``, too."""
        self.events.append(_Start(tag, {name: value or "" for name, value in attrs}))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat ``<br/>`` as ``<br>``."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Note an end."""
        self.events.append(_End(tag))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.events.append(_Text(data))


def _is_shown(event: _Event) -> bool:
    """Whether there is anything to read in ``event`` itself."""
    if isinstance(event, _Text):
        return not event.words.isspace()
    return isinstance(event, _Start) and event.tag == "img" and bool(_image_url(event) or _words(event))


def _silent(events: Sequence[_Event]) -> frozenset[int]:
    """Return the places of the links and headings that nobody could hear or see, as there is nothing in
    them: readme-renderer puts one behind each heading."""
    found = set()
    shown = 0
    opened: list[tuple[int, int]] = []
    for at, event in enumerate(events):
        shown += _is_shown(event)
        if isinstance(event, _Start) and event.tag not in _VOID:
            opened.append((at, shown))
        elif isinstance(event, _End) and opened:
            start, before = opened.pop()
            if before == shown and event.tag in {"a", *_HEADINGS}:
                found.add(start)
    return frozenset(found)


@dataclass(slots=True)
class _Tamer:
    """Rebuilds HTML with what this site allows.

    Attributes:
        parts: what was written.
        opened: the tags that are open in the description, each with the one that was written for it.
        outline: the levels of the headings that the present place stands below.
        outlines: the outline around each ``details`` that is open.
        left: the places that have yet to come.
    """

    events: Sequence[_Event]
    image_hosts: frozenset[str]
    site: str | None
    parts: list[str] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)
    outline: list[str] = field(default_factory=list)
    outlines: list[list[str]] = field(default_factory=list)
    places: frozenset[str] = frozenset()
    left: set[str] = field(default_factory=set)

    def tamed(self) -> str:
        """Return it all."""
        self.places = frozenset(event.place for event in self.events if isinstance(event, _Start)) - {""}
        self.left = set(self.places)
        silent = _silent(self.events)
        for at, event in enumerate(self.events):
            if isinstance(event, _Text):
                self.parts.append(escape(event.words, quote=False))
            elif isinstance(event, _End):
                self._end(event.tag)
            else:
                self._start(event, silent=at in silent)
        while self.opened:
            self._end(self.opened[-1][0])
        return "".join(self.parts)

    def _start(self, event: _Start, *, silent: bool) -> None:
        if event.tag == "img":
            self._image(event)
            return
        if event.tag == "input" and event.given.get("type") != "checkbox":
            return
        link = None if event.tag != "a" or silent else self._link(event.given.get("href", ""))
        written = self._written(event, link, silent=silent)
        self.parts.append(f"<{written}{self._attributes(event, link)}>")
        if event.tag not in _VOID:
            self.opened.append((event.tag, written))
        if event.tag == "details":
            self.outlines.append(list(self.outline))
        if event.tag == "summary" and self.outlines:
            self.outline = list(self.outlines[-1])

    def _end(self, tag: str) -> None:
        """Close the innermost tag; clean HTML has no other end at this place."""
        if not self.opened or self.opened[-1][0] != tag:
            return
        self.parts.append(f"</{self.opened.pop()[1]}>")
        if tag == "details":
            self.outline = self.outlines.pop()

    def _written(self, event: _Start, link: str | None, *, silent: bool) -> str:
        """Return the tag to write for one."""
        if event.tag in _HEADINGS:
            return "section" if silent else self._heading(event.tag)
        if event.tag == "a" and link is None:
            return "span"
        if event.tag == "span" and "literal" in event.given.get("class", "").split():
            return "code"
        return event.tag if event.tag in _TAGS else _INSTEAD.get(event.tag, "span")

    def _heading(self, tag: str) -> str:
        """Return the heading to write: one level below the last that is greater, so that none is skipped.

        What is in a ``details`` may be hidden: it stands below what is around it, and does not count
        after it, nor in its ``summary``.
        """
        around = len(self.outlines[-1]) if self.outlines else 0
        while len(self.outline) > around and self.outline[-1] >= tag:
            self.outline.pop()
        self.outline.append(tag)
        return f"h{min(_LEVEL_ABOVE + len(self.outline), 6)}"

    def _link(self, url: str) -> str | None:
        """Return where a link leads, out or to a place in the description itself; None in another link."""
        if "a" in self._around():
            return None
        if not url.startswith("#"):
            return safe_url(url)
        place = _place(url[1:])
        found = place if place in self.places else unquote(place)
        return f"#{_ID}{found}" if found in self.places else None

    def _around(self) -> set[str]:
        return {written for _, written in self.opened}

    def _image(self, event: _Start) -> None:
        url, words = _image_url(event), _words(event)
        around = self._around()
        label = escape(words or "image")
        if url is None:
            self.parts.append(escape(words, quote=False))
        elif urlsplit(url).netloc.lower() in self.image_hosts or self._is_own(url):
            # A picture that says nothing is decoration, but not where it is all that a link says.
            alt = label if around & {"a", *_HEADINGS} else escape(words)
            sizes = _numbers(event, "width", "height")
            self.parts.append(f'<img src="{escape(url)}" alt="{alt}" loading="lazy"{sizes}>')
        elif "a" in around:
            self.parts.append(label)
        else:
            self.parts.append(f'<a href="{escape(url)}" rel="nofollow noreferrer">{label}</a>')

    def _is_own(self, url: str) -> bool:
        """Whether ``url`` is that of an image of this site."""
        return (
            self.site is not None
            and url.startswith(self.site)
            and bool(_OWN_IMAGE.fullmatch(url[len(self.site) :]))
        )

    def _attributes(self, event: _Start, link: str | None) -> str:
        """Return the attributes of a tag as they are written."""
        kept: dict[str, str] = {}
        if event.place in self.left:
            self.left.remove(event.place)
            kept["id"] = _ID + event.place
        classes = [name for name in event.given.get("class", "").split() if _CLASS.fullmatch(name)]
        if classes:
            kept["class"] = " ".join(classes)
        if link is not None:
            kept |= {"href": link, "rel": "nofollow noreferrer"}
        if event.tag == "pre":
            # It may be wider than the page; so the keyboard can move it.
            kept["tabindex"] = "0"
        if event.tag == "input":
            done = "checked" in event.given
            kept |= {"type": "checkbox", "disabled": "", "aria-label": "done" if done else "to do"}
            kept |= {"checked": ""} if done else {}
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        return written + _numbers(event, "colspan", "rowspan", "start")


def _place(name: str) -> str:
    return _RENDERERS_ID.sub("", name, count=1)


def _image_url(event: _Start) -> str | None:
    """Return the address of an image, unless a browser could not or should not fetch it."""
    url = safe_url(event.given.get("src", ""))
    return None if url is None or url.lower().startswith("mailto:") else url


def _words(event: _Start) -> str:
    """Return what an image says to those who do not see it."""
    return event.given.get("alt", "").strip()


def _numbers(event: _Start, *names: str) -> str:
    """Return those attributes of a tag that are small numbers."""
    return "".join(
        f' {name}="{event.given[name]}"' for name in names if _NUMBER.fullmatch(event.given.get(name, ""))
    )


if __name__ == "__main__":
    _main()
