"""Upload forms, built byte by byte."""

import hashlib
from typing import Any

from warehouse14.testing.builders import BuiltFile

BOUNDARY = "--------a-boundary-of-tests"


def part(
    name: str | bytes,
    value: str | bytes,
    *,
    filename: str | bytes | None = None,
    content_type: str | None = None,
) -> bytes:
    """Return one part of a form."""
    line = b'Content-Disposition: form-data; name="' + _bytes(name) + b'"'
    if filename is not None:
        line += b'; filename="' + _bytes(filename) + b'"'
    if content_type is not None:
        line += f"\r\nContent-Type: {content_type}".encode()
    return line + b"\r\n\r\n" + _bytes(value) + b"\r\n"


def form_body(parts: list[bytes], boundary: str = BOUNDARY) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a form of ``parts``."""
    opening = f"--{boundary}\r\n".encode()
    body = b"".join(opening + each for each in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def upload_form(
    built: BuiltFile, name: str, version: str, /, *, content_part: bytes | None = None, **changed: Any
) -> list[bytes]:
    """Return the parts of a form as twine sends it.

    ``changed`` replaces fields, adds them, or leaves them out (None); a list
    sends a field several times. ``action`` stands for ``:action``.
    """
    fields: dict[str, Any] = {
        "action": "file_upload",
        "protocol_version": "1",
        "name": name,
        "version": version,
        "filetype": built.filetype.value,
        "pyversion": "source" if built.filetype == "sdist" else "py3",
        "metadata_version": "2.4",
        "summary": "A distribution for tests",
        "sha256_digest": hashlib.sha256(built.content).hexdigest(),
        **changed,
    }
    parts = []
    for field, value in fields.items():
        values = value if isinstance(value, list) else [value]
        sent = ":action" if field == "action" else field
        parts += [part(sent, each) for each in values if each is not None]
    if content_part is None:
        content_part = part(
            "content", built.content, filename=built.filename, content_type="application/octet-stream"
        )
    return [*parts, content_part]


def _bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8") if isinstance(value, str) else value
