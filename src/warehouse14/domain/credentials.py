"""API tokens, sessions and passwords: minting, parsing, hashing.

A token is ``wh14_`` + 10 characters of public id + 27 of secret + 6 of
checksum, all in base 62. The id finds its row; the secret, 160 bits, is
compared as one SHA-256; the CRC-32 lets a secret scanner tell a token from
look-alikes without asking us.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import string
import threading
import zlib
from dataclasses import dataclass, field

from warehouse14.domain.errors import Rejected, Unavailable

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_LENGTH = 10
_SECRET_LENGTH = 27
_CHECKSUM_LENGTH = 6
TOKEN_PREFIX = "wh14_"
_TOKEN = re.compile(
    rf"{TOKEN_PREFIX}([0-9A-Za-z]{{{_ID_LENGTH}}})([0-9A-Za-z]{{{_SECRET_LENGTH}}})"
    rf"([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})\Z",
    re.ASCII,
)
_ID = re.compile(rf"(?:{TOKEN_PREFIX})?([0-9A-Za-z]{{{_ID_LENGTH}}})…?", re.ASCII)

_SCRYPT_N = 2**14
_SCRYPT_R = 8
_SCRYPT_P = 5
_SCRYPT_SALT_BYTES = 16
_SCRYPT_MEMORY = 64 * 1024 * 1024
#: How much more work than ours a hash may take that was made with other parameters.
_SCRYPT_MOST_TIMES = 16

#: One check takes 16 MiB and a quarter of a second: two at a time.
_checks = threading.BoundedSemaphore(2)
#: Who runs or waits for that. More would hold all threads of a server, and nobody else would be answered.
_queue = threading.BoundedSemaphore(4)


@dataclass(frozen=True, slots=True)
class TokenSecret:
    """A token's text and its two halves. The text is shown once and kept nowhere."""

    id: str
    text: str = field(repr=False)

    @property
    def sha256(self) -> str:
        """What is stored: the hex SHA-256 of the whole text."""
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()


def mint_token() -> TokenSecret:
    """Return a new random token."""
    body = TOKEN_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH + _SECRET_LENGTH))
    return TokenSecret(
        id=body[len(TOKEN_PREFIX) : len(TOKEN_PREFIX) + _ID_LENGTH], text=body + _checksum(body)
    )


def parse_token(text: str) -> TokenSecret | None:
    """Return the token that ``text`` is, or None if its form or checksum is wrong."""
    match = _TOKEN.match(text)
    if match is None or _checksum(text[:-_CHECKSUM_LENGTH]) != match[3]:
        return None
    return TokenSecret(id=match[1], text=text)


def token_id(raw: str, *, field: str = "token") -> str:
    """Return the id of a token that ``raw`` spells, by itself or as a list of tokens shows it.

    Raises ``Rejected``, which does not repeat ``raw``: it may be a whole token.
    """
    match = _ID.fullmatch(raw)
    if match is None:
        raise Rejected(
            f"{field}: write the id of a token, the {_ID_LENGTH} letters and digits after {TOKEN_PREFIX}, "
            "and nothing of what comes after them.",
            field=field,
        )
    return match[1]


def token_matches(token: TokenSecret, secret_sha256: str) -> bool:
    """Whether ``token`` is the one whose hash is stored, in constant time."""
    return hmac.compare_digest(token.sha256, secret_sha256)


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode("ascii"))
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def hash_password(password: str) -> str:
    """Return ``scrypt$N$r$p$salt$hash`` (RFC 7914), about 0.25 s of work."""
    salt = os.urandom(_SCRYPT_SALT_BYTES)
    digest = _scrypt(password, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
    encoded = (base64.b64encode(part).decode("ascii") for part in (salt, digest))
    return "$".join(["scrypt", str(_SCRYPT_N), str(_SCRYPT_R), str(_SCRYPT_P), *encoded])


def password_matches(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the one that ``stored`` was made from.

    An account without a password costs the same work as one with another.
    """
    if stored is None:
        _scrypt(password, b"\0" * _SCRYPT_SALT_BYTES, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
        return False
    n, r, p, salt, digest = _parts_of(stored)
    return hmac.compare_digest(_scrypt(password, salt, n, r, p), digest)


def checked_password_hash(stored: str) -> str:
    """Return ``stored``. Raises ``ValueError``, which does not repeat it, unless passwords can be compared
    with it, in bounded time and memory."""
    try:
        n, r, p, _, _ = _parts_of(stored)
    except ValueError:
        n = r = p = 0
    is_bounded = (
        0 < r * p * n <= _SCRYPT_N * _SCRYPT_R * _SCRYPT_P * _SCRYPT_MOST_TIMES
        and 128 * r * (n + p + 2) <= _SCRYPT_MEMORY
    )
    # What the algorithm itself demands of its parameters (RFC 7914, section 2).
    if min(n - 1, r, p) < 1 or not is_bounded or n & (n - 1) or n.bit_length() > 16 * r:
        raise ValueError("the hash of a password is none that one can be compared with")
    return stored


def _parts_of(stored: str) -> tuple[int, int, int, bytes, bytes]:
    """Return the parameters, the salt and the digest of a hash. Raises ``ValueError``."""
    kind, n, r, p, salt, digest = stored.split("$")
    if kind != "scrypt":
        raise ValueError(f"no hash is made with {kind:.20}")
    return int(n), int(r), int(p), base64.b64decode(salt), base64.b64decode(digest)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    if not _queue.acquire(blocking=False):
        raise Unavailable("Too many sign in at this moment. Try again.", retry_after=1)
    try:
        with _checks:
            return hashlib.scrypt(
                password.encode("utf-8", "surrogatepass"),
                salt=salt,
                n=n,
                r=r,
                p=p,
                maxmem=_SCRYPT_MEMORY,
                dklen=32,
            )
    finally:
        _queue.release()


def session_secret() -> str:
    """Return what the cookie of a new session holds: 43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def session_id(secret: str) -> str:
    """Return the id under which the session with this cookie is kept: the hex SHA-256 of the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def random_password() -> str:
    """Return a password of 20 characters, about 119 bits, for a first account."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))
