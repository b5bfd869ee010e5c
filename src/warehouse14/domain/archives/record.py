"""RECORD: the list of a wheel's members with their digests and sizes (binary distribution format)."""

import csv
import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from warehouse14.domain.archives.bounds import MAX_RECORD, MAX_RECORD_LINE, MAX_RECORD_SURPLUS
from warehouse14.domain.archives.refusals import refusal, shown
from warehouse14.domain.errors import Rejected

#: sha256 or stronger: the specification forbids md5 and sha1.
ALGORITHMS: Final = frozenset({"sha256", "sha384", "sha512"})


def read_record(
    chunks: Iterable[bytes], sizes: Mapping[str, int], *, filename: str, record: str
) -> dict[str, str]:
    """Return the digest, as ``ALGORITHM=BASE64``, of every member that must be verified.

    ``chunks`` are the contents of the member ``record`` in pieces; ``sizes``
    the unpacked size of every file in the wheel by its name.

    Raises ``Rejected`` if it is not CSV in UTF-8, if it does not list exactly
    the wheel's files (itself and its signatures may be left out), or if a line has
    another size or no digest by sha256 or stronger.
    """
    return _Record(sizes, filename, record).read(chunks)


def digest_of(algorithm: str, pieces: Iterable[bytes]) -> str:
    """Return the digest of ``pieces`` in the form in which RECORD has it."""
    state = hashlib.new(algorithm)
    for piece in pieces:
        state.update(piece)
    return f"{algorithm}={urlsafe_b64encode(state.digest()).decode().rstrip('=')}"


class _Record:
    """Reads one RECORD line by line; every refusal names the line's member."""

    def __init__(self, sizes: Mapping[str, int], filename: str, record: str) -> None:
        self._sizes = sizes
        self._filename = filename
        self._record = record
        self._exempt = {record, f"{record}.jws", f"{record}.p7s"}

    def read(self, chunks: Iterable[bytes]) -> dict[str, str]:
        digests: dict[str, str] = {}
        try:
            for row in csv.reader(self._lines(chunks)):
                if row:
                    self._add(digests, row)
        except csv.Error as error:
            raise self._refusal(f"it is not CSV ({error})") from error
        for name in self._sizes:
            if name not in digests and name not in self._exempt:
                raise self._refusal(f"it does not list {shown(name)}, which is in the wheel")
        return {name: digest for name, digest in digests.items() if digest}

    def _add(self, digests: dict[str, str], row: list[str]) -> None:
        if len(row) != 3:
            raise self._refusal(
                f"the line of {shown(row[0])} has {len(row)} fields, not the 3: path, hash and size"
            )
        name, digest, size = row
        if name in digests:
            raise self._refusal(f"it lists {shown(name)} more than once")
        if name not in self._sizes and name not in self._exempt:
            raise self._refusal(f"it lists {shown(name)}, which is not in the wheel")
        self._check_digest(name, digest)
        if size and name in self._sizes and size != str(self._sizes[name]):
            raise self._refusal(
                f"it says {shown(size)} bytes for {shown(name)}, which has {self._sizes[name]}"
            )
        digests[name] = digest.rstrip("=")

    def _check_digest(self, name: str, digest: str) -> None:
        if name == self._record:
            if digest:
                raise self._refusal("it gives a hash of itself; leave that field empty")
            return
        if not digest and name in self._exempt:
            return
        if digest.partition("=")[0] not in ALGORITHMS:
            raise self._refusal(f"{shown(name)} has no hash by sha256, sha384 or sha512, but {shown(digest)}")

    def _lines(self, chunks: Iterable[bytes]) -> Iterator[str]:
        """Yield the lines in text, each of bounded length."""
        total = count = 0
        rest = b""
        for chunk in chunks:
            total += len(chunk)
            if total > MAX_RECORD:
                raise self._refusal(f"it is larger than {MAX_RECORD} bytes")
            *lines, rest = (rest + chunk).split(b"\n")
            count += len(lines)
            if count > len(self._sizes) + MAX_RECORD_SURPLUS:
                raise self._refusal("it has more lines than the wheel has files")
            for line in lines:
                yield self._text(line) + "\n"
            if len(rest) > MAX_RECORD_LINE:
                raise self._refusal(f"it has a line of more than {MAX_RECORD_LINE} bytes")
        yield self._text(rest)

    def _text(self, line: bytes) -> str:
        if len(line) > MAX_RECORD_LINE:
            raise self._refusal(f"it has a line of more than {MAX_RECORD_LINE} bytes")
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            raise self._refusal(f"the line {shown(ascii(line))} is not UTF-8") from error

    def _refusal(self, problem: str) -> Rejected:
        return refusal(self._filename, f"{shown(self._record)}: {problem}.")
