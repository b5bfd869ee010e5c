"""What the forms and pages for tokens share: one's own, and those of service accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.credentials import TokenSecret
from warehouse14.domain.errors import Rejected
from warehouse14.domain.lasting import ends_soon
from warehouse14.domain.model import Scope, Token, in_order
from warehouse14.domain.services.tokens import DEFAULT_OVERLAP_HOURS
from warehouse14.web.html import show

#: What the form offers, as days.
DAYS = (7, 30, 90, 365, 0)

#: What each scope lets somebody do, as the form says it.
SCOPES: Mapping[Scope, str] = {
    Scope.READ: "install",
    Scope.UPLOAD: "install and publish",
    Scope.YANK: "install and yank",
    Scope.MANAGE: "install, delete, manage people and access",
}
#: The same as the page of a new token says it.
_DEEDS: Mapping[Scope, str] = {
    Scope.READ: "installs",
    Scope.UPLOAD: "publishes",
    Scope.YANK: "yanks",
    Scope.MANAGE: "deletes and manages projects",
}
_EMPTY = {"name": "", "project": "", "address": "", "days": "365"}


@dataclass(frozen=True, slots=True)
class TokenForm:
    """What was written into a form for a new token."""

    fields: Mapping[str, str]
    scopes: tuple[str, ...]

    def options(self) -> dict[str, Any]:
        """Return the options of ``TokenService.mint``. Raises ``Rejected``."""
        if not set(self.scopes) <= set(Scope):
            raise Rejected("scope: choose some of those that are offered.", field="scope")
        return {
            "name": self.fields["name"],
            "scopes": frozenset(map(Scope, self.scopes)),
            "project": self.fields["project"] or None,
            "addresses": [text for text in self.fields["address"].replace(",", " ").split() if text],
            "days": _days(self.fields["days"]),
        }


def empty_form() -> TokenForm:
    """Return what the form says before anybody has written into it."""
    return TokenForm(_EMPTY, (Scope.READ.value,))


def offered(form: TokenForm | None) -> Mapping[str, Any]:
    """Return what a page with the form for a new token shows, and what was written into it, if it was."""
    return {"form": form or empty_form(), "days": DAYS, "overlaps": OVERLAPS, "scopes": SCOPES}


def given_form(request: Request) -> TokenForm:
    """Return what was sent."""
    fields = {key: request.POST.get(key, "").strip() for key in _EMPTY}
    return TokenForm(fields, tuple(request.POST.getall("scope")))


@dataclass(frozen=True, slots=True)
class Overlap:
    """How long a token counts that a new one takes the place of, and in words when it ends."""

    hours: int
    words: str

    @property
    def is_usual(self) -> bool:
        """Whether it is so unless somebody chooses another."""
        return self.hours == DEFAULT_OVERLAP_HOURS


#: What the form offers.
OVERLAPS = (
    Overlap(0, "at once"),
    Overlap(1, "in an hour"),
    Overlap(24, "in a day"),
    Overlap(168, "in a week"),
)


def given_overlap(request: Request) -> int:
    """Return for how many hours the old token is to count. Raises ``Rejected``."""
    raw = request.POST.get("overlap", str(DEFAULT_OVERLAP_HOURS))
    found = [overlap.hours for overlap in OVERLAPS if str(overlap.hours) == raw]
    if not found:
        raise Rejected("overlap: choose one of those that are offered.", field="overlap")
    return found[0]


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One line of a list of tokens. ``ends`` says in words when it ends, if that is soon."""

    token: Token
    scopes: str
    is_over: bool
    ends: str


def lines(request: Request, tokens: Sequence[Token]) -> list[TokenLine]:
    """Return the lines of the tokens that were not revoked, the newest first."""
    now = request.registry.warehouse.now()
    return [
        TokenLine(
            token, ", ".join(in_order(token.scopes)), token.is_over(now), ends_soon(token.expires_at, now)
        )
        for token in tokens[::-1]
        if token.revoked_at is None
    ]


def ending(request: Request, tokens: Sequence[Token]) -> list[TokenLine]:
    """Return the lines of the tokens that end soon, the first to end before the others."""
    soon = [line for line in lines(request, tokens) if line.ends]
    return sorted(soon, key=attrgetter("token.expires_at"))


def show_new(
    request: Request, secret: TokenSecret, tokens: Sequence[Token], back: str, *, to: str = "your account"
) -> Response:
    """Return the page of a new token, which is one of ``tokens``; it leads back to the path ``back``, which
    it calls ``to``."""
    token = next(token for token in tokens if token.id == secret.id)
    *deeds, last = [_DEEDS[scope] for scope in in_order({Scope.READ, *token.scopes})]
    return show(
        request,
        "new_token",
        token=secret.text,
        new=token,
        deeds=f"{', '.join(deeds)} and {last}" if deeds else last,
        uploads=Scope.UPLOAD in token.scopes,
        yanks=Scope.YANK in token.scopes,
        manages=Scope.MANAGE in token.scopes,
        back=back,
        to=to,
    )


def _days(raw: str) -> int:
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 6):
        raise Rejected("days: write a number of days, 0 for no end.", field="days")
    return int(raw)
