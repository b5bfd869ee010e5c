"""The upload form, read as a stream: fields first, then the content, never in memory as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from warehouse14.domain.errors import Rejected
from warehouse14.domain.services.uploadform import too_large
from warehouse14.web.errors import Refusal

_READ = 256 * 1024
#: What all fields but the content may take together, with the headers of all; a long description is one.
FIELDS_BYTES = 8 * 1024 * 1024
#: What they take as a rule: a body longer than this and the largest file is refused by its length.
ALLOWANCE = 1024 * 1024
_MOST_PARTS = 20_000
_MOST_HEADER_BYTES = 16 * 1024
_FIELD_BYTES = 4096

CONTENT = "content"
_FILE_FIELDS = frozenset({CONTENT, "gpg_signature"})
#: The fields that are read. All others come from the archive itself, and are passed over.
FIELDS = frozenset(
    {
        ":action",
        "protocol_version",
        "name",
        "version",
        "filetype",
        "pyversion",
        "sha256_digest",
        "blake2_256_digest",
        "md5_digest",
    }
)
_UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Content:
    """The beginning of the content: its file name, and whether it is an image."""

    filename: str | None
    content_type: str


@dataclass(slots=True)
class UploadStream:
    """Goes through the body of a request once.

    Attributes:
        limit: the largest file, in bytes.
        fields: what was read so far of ``FIELDS``.
    """

    source: BinaryIO
    content_type: str
    limit: int
    fields: dict[str, str] = field(default_factory=dict)

    def events(self) -> Iterator[Content | bytes]:
        """Yield the content's beginning, and then its bytes in pieces.

        Raises ``Rejected`` for a malformed form, ``TooLarge`` for a body that does not end, whose length
        not every server has looked at, and ``Refusal`` for a body that is none.
        """
        parser = PushMultipartParser(
            self._boundary(), max_segment_count=_MOST_PARTS, max_header_size=_MOST_HEADER_BYTES
        )
        reading = _Reading(self.fields)
        left = self.limit + ALLOWANCE
        try:
            while not parser.closed:
                chunk = self.source.read(_READ)
                left -= len(chunk)
                if left < 0:
                    raise too_large(self.limit)
                for event in parser.parse(chunk):
                    yield from reading.take(event)
                if not chunk:
                    break
            parser.close()
        except ParserLimitReached as error:
            raise Rejected(f"The form is too large: {error}.", field="form") from error
        except MultipartError as error:
            raise Rejected(f"The form is malformed or was cut off: {error}.", field="form") from error

    def _boundary(self) -> str:
        kind, options = parse_options_header(self.content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise Refusal(415, "Send the upload as multipart/form-data, as twine and uv do.")
        return str(options["boundary"])


class _Reading:
    """What becomes of the parser's events."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields
        self._bytes = 0
        self._name: str | None = None
        self._value = bytearray()
        self._had_content = False

    def take(self, event: MultipartSegment | bytes | bytearray | None) -> Iterator[Content | bytes]:
        """Take one event; yield what belongs to the content."""
        if isinstance(event, MultipartSegment):
            yield from self._begin(event)
        elif event is None:
            self._end()
        elif self._name == CONTENT:
            yield bytes(event)
        else:
            self._add(event)

    def _begin(self, segment: MultipartSegment) -> Iterator[Content]:
        self._name = segment.name
        self._value.clear()
        self._add(
            "".join(f"{name}{value}" for name, value in segment.headerlist).encode("utf-8", "replace"),
            keep=False,
        )
        if segment.name in _FILE_FIELDS:
            if segment.name == CONTENT:
                yield self._content(segment)
        elif segment.filename is not None:
            raise Rejected(f"{_short(segment.name)}: only content may be sent as a file.", field=segment.name)

    def _content(self, segment: MultipartSegment) -> Content:
        if self._had_content:
            raise Rejected("content: send one file in a request.", field=CONTENT)
        self._had_content = True
        return Content(segment.filename, segment.header("Content-Type", "") or "")

    def _add(self, data: bytes | bytearray, *, keep: bool = True) -> None:
        self._bytes += len(data)
        if self._bytes > FIELDS_BYTES:
            raise Rejected(f"The fields of the form have more than {FIELDS_BYTES} bytes.", field="form")
        if 0 in data and self._name not in _FILE_FIELDS:
            raise Rejected(f"{_short(self._name or '')}: has a NUL character.", field=self._name or "")
        if keep and self._name in FIELDS:
            self._value += data
            if len(self._value) > _FIELD_BYTES:
                raise Rejected(f"{self._name}: longer than {_FIELD_BYTES} bytes.", field=self._name or "")

    def _end(self) -> None:
        name = self._name
        if name is None or name not in FIELDS:
            return
        value = _text(name, bytes(self._value))
        if value == _UNKNOWN:
            return
        if name in self._fields:
            raise Rejected(f"{name}: sent more than once.", field=name)
        self._fields[name] = value


def digests(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the digests that a form declares, by algorithm; an empty one counts as none."""
    named = {name: fields.get(f"{name}_digest", "") for name in ("sha256", "blake2_256", "md5")}
    return {name: value for name, value in named.items() if value}


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected(f"{name}: not UTF-8.", field=name) from error
    return text


def _short(name: str) -> str:
    return ascii(name[:60])
