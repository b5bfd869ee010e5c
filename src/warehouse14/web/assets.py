"""The site's own files: style sheets, scripts, pictures. Their addresses hold their digest, so that they
can be kept for ever."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

_DIGEST_LENGTH = 16
_COMPRESSED = frozenset({"text/css", "text/javascript", "image/svg+xml", "text/plain"})
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}


@dataclass(frozen=True)
class Asset:
    """One file."""

    name: str
    body: bytes

    @cached_property
    def digest(self) -> str:
        """Return the part of its address that changes with its bytes."""
        return hashlib.sha256(self.body).hexdigest()[:_DIGEST_LENGTH]

    @property
    def path(self) -> str:
        """Return its address below the site's root."""
        return f"/static/{self.digest}/{self.name}"

    @property
    def media_type(self) -> str:
        """Return its media type."""
        suffix = "." + self.name.rpartition(".")[2]
        return _TYPES.get(suffix) or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    @cached_property
    def compressed(self) -> bytes | None:
        """Return it compressed with gzip, if that makes it smaller."""
        if self.media_type not in _COMPRESSED:
            return None
        packed = gzip.compress(self.body, 9, mtime=0)
        return packed if len(packed) < len(self.body) else None


def load_assets() -> Mapping[str, Asset]:
    """Return all files of ``web/static`` and of ``web/static/vendor``, by name."""
    folder = files("warehouse14.web") / "static"
    return {
        entry.name: Asset(entry.name, entry.read_bytes())
        for place in (folder, folder / "vendor")
        for entry in place.iterdir()
        if _is_asset(entry)
    }


def _is_asset(entry: Traversable) -> bool:
    return entry.is_file() and entry.name.endswith(tuple(_TYPES))
