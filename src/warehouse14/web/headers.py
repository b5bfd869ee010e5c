"""The headers that every answer carries, also one to a client, a file and a refusal."""

from collections.abc import Mapping

from pyramid.events import NewResponse

#: A view that sets one of these knows better.
PROTECTION: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_FOR_A_YEAR = "max-age=31536000"


def complete_headers(event: NewResponse) -> None:
    """Add what is missing, and behind TLS that the site is never to be asked without."""
    headers = event.response.headers
    for name, value in PROTECTION.items():
        headers.setdefault(name, value)
    if event.request.scheme == "https":
        headers["Strict-Transport-Security"] = _FOR_A_YEAR
