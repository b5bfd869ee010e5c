"""What the front ends of a function say of a request, each in its own words, and what of that is believed.

Function URLs, and HTTP APIs of API Gateway, send events of format 2.0; REST APIs (and HTTP APIs, if they
are told to) of format 1.0; load balancers one of their own (AWS Lambda, "Invoking Lambda functions" and
"Using AWS Lambda with an Application Load Balancer").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote_to_bytes

Event = Mapping[str, Any]

#: What a function may get or answer, in bytes of JSON: of whom it answers at once, and of a load balancer.
_MOST_OF_A_FUNCTION = 6 * 1024 * 1024
_MOST_OF_A_BALANCER = 1024 * 1024
#: The largest file in a request of so many bytes, about: base64 takes a third more, and a form says more.
_FILE_OF_A_FUNCTION = 4_500_000
_FILE_OF_A_BALANCER = 700_000
#: What of that is left for the status and the headers. API Gateway passes on 10 kB of headers.
_FOR_HEADERS = 16 * 1024
#: A stage that is in no path.
_DEFAULT_STAGE = "$default"


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """A kind of front end.

    Attributes:
        sends: whether an event is one of its.
        place: returns where the site lies, and the path below that, both as they were sent.
        peer: returns the address of whoever is connected to it; "" where it does not say.
        most_json: how large an answer may be, in bytes of JSON.
        largest_file: how large a file may be that comes by a form, in bytes, about.
        takes_phrase: whether an answer may say its status in words, too. A REST API refuses what it does not
            know.
    """

    sends: Callable[[Event], bool]
    place: Callable[[Event], tuple[str, str]]
    peer: Callable[[Event], str]
    most_json: int
    largest_file: int
    takes_phrase: bool = False

    @property
    def most_bytes(self) -> int:
        """The largest body, in bytes: it is sent as base64 (RFC 4648, section 4)."""
        return (self.most_json - _FOR_HEADERS) // 4 * 3


def front_end(event: Event) -> FrontEnd:
    """Return what has sent an event. Raises ``ValueError`` for an event that is no request."""
    found = next((front for front in _FRONT_ENDS if front.sends(event)), None)
    if found is None:
        raise ValueError(
            "this event is no HTTP request: it is not from a function URL, API Gateway or a load balancer"
        )
    return found


def place(event: Event, front: FrontEnd, base: str) -> tuple[str, str]:
    """Return where the site lies, and the path below that, decoded, as WSGI has them (PEP 3333).

    Args:
        event: a request.
        front: what has sent it.
        base: the path of the site's public address, without a last slash, or "".
    """
    prefix, path = map(_decoded, front.place(event))
    # A stage is a part of that address, and may be named as what lies below it.
    if base and not prefix.endswith(base) and f"{path}/".startswith(f"{base}/"):
        return prefix + base, path.removeprefix(base)
    return prefix, path


def client(front: FrontEnd, event: Event, forwarded: str, proxies: int) -> str:
    """Return the address that a request comes from.

    The front end writes at the end of ``X-Forwarded-For`` who is connected to it; what stands before that
    is somebody else's word, and counts only as far as there are known proxies.

    Args:
        front: what has sent the event.
        event: a request.
        forwarded: its ``X-Forwarded-For``.
        proxies: how many known proxies are before the front end.
    """
    said = [_bare(word.strip()) for word in forwarded.split(",") if word.strip()]
    peer = _bare(front.peer(event)) or (said[-1] if said else "")
    chain = said if said[-1:] == [peer] else [*said, peer]
    return chain[-1 - proxies] if proxies < len(chain) else peer


def settled(event: Event) -> dict[str, Any]:
    """Return an event whose headers can stand in an environment of WSGI.

    Names with an underscore are dropped: they could not be told from others (so does waitress). Cookies that
    came in several headers are one (RFC 9113, section 8.2.3).
    """
    kept = dict(event)
    for group in ("headers", "multiValueHeaders"):
        given = kept.get(group) or {}
        kept |= {group: _plain(given)} if given else {}
    return kept


def _plain(headers: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in headers.items() if "_" not in name}
    several = {
        name: ["; ".join(value)]
        for name, value in plain.items()
        if name.lower() == "cookie" and not isinstance(value, str)
    }
    return plain | several


def _decoded(path: str) -> str:
    # HTTP APIs have decoded it once, and others have not: no name of ours has a percent sign.
    return unquote_to_bytes(path.encode("utf-8", "replace")).decode("latin-1")


def _bare(address: str) -> str:
    """Return an address without the port that a load balancer may be told to add."""
    host, colon, _ = address.rpartition(":")
    return (
        host.strip("[]") if colon and not _is_address(address) and _is_address(host.strip("[]")) else address
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _context(event: Event) -> Mapping[str, Any]:
    found = event.get("requestContext")
    return found if isinstance(found, Mapping) else {}


def _place_of_2(event: Event) -> tuple[str, str]:
    stage, path = _context(event).get("stage", _DEFAULT_STAGE), event["rawPath"]
    prefix = "" if stage == _DEFAULT_STAGE else f"/{stage}"
    return (prefix, path.removeprefix(prefix)) if f"{path}/".startswith(f"{prefix}/") else ("", path)


def _place_of_1(event: Event) -> tuple[str, str]:
    whole, path = _context(event).get("path") or "", event["path"]
    return (whole.removesuffix(path), path) if whole.endswith(path) else ("", path)


def _unsaid(event: Event) -> str:  # noqa: ARG001
    """Return nothing: a load balancer says who is there in a header alone."""
    return ""


_FRONT_ENDS = (
    FrontEnd(
        sends=lambda event: "elb" in _context(event) and "httpMethod" in event,
        place=lambda event: ("", event["path"]),
        peer=_unsaid,
        most_json=_MOST_OF_A_BALANCER,
        largest_file=_FILE_OF_A_BALANCER,
        takes_phrase=True,
    ),
    FrontEnd(
        sends=lambda event: event.get("version") == "2.0" and "http" in _context(event),
        place=_place_of_2,
        peer=lambda event: _context(event)["http"]["sourceIp"],
        most_json=_MOST_OF_A_FUNCTION,
        largest_file=_FILE_OF_A_FUNCTION,
    ),
    FrontEnd(
        sends=lambda event: event.get("version", "1.0") == "1.0" and "identity" in _context(event),
        place=_place_of_1,
        peer=lambda event: _context(event)["identity"]["sourceIp"],
        most_json=_MOST_OF_A_FUNCTION,
        largest_file=_FILE_OF_A_FUNCTION,
    ),
)
