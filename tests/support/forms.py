"""The body of an upload, byte by byte."""

from collections.abc import Mapping

BOUNDARY = "a-boundary-that-no-file-has"


def framed(fields: Mapping[str, str], filename: str) -> tuple[bytes, bytes]:
    """Return what comes before and after the content in the body of a form."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return "".join(parts).encode("ascii"), f"\r\n--{BOUNDARY}--\r\n".encode("ascii")
