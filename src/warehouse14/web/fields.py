"""What a program sends with a change: a few fields, as a form or as a JSON object."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qsl

from pyramid.request import Request

from warehouse14.domain.errors import Rejected
from warehouse14.web.errors import Refusal
from warehouse14.web.requests import FORM, is_utf_8

#: Names and values, in the order in which they were sent.
Pairs = Iterable[tuple[str, object]]

#: More than any of them needs, in bytes. It is read into memory whole.
_MOST = 100_000
_JSON = "application/json"
_SHOWN = 60
#: What JSON can spell, and no database keeps: half a character.
_HALF = re.compile("[\ud800-\udfff]")


def given_fields(request: Request, *known: str, exact: bool = False) -> Mapping[str, str]:
    """Return the fields ``known`` without spaces at their ends, or ``exact`` as they were sent; one that was
    not is empty.

    Raises:
        Refusal: the body is too large, or is neither a form nor JSON in UTF-8.
        Rejected: it is malformed, or has another field, one twice, or one that is no text.
    """
    sent: dict[str, str] = {}
    for name, value in _pairs(request):
        shown = ascii(name[:_SHOWN])
        if name not in known:
            fields = ", ".join(known) or "none"
            raise Rejected(f"{shown} is no field of this address. Its fields: {fields}.", field="body")
        if name in sent:
            raise Rejected(f"{name}: sent more than once.", field=name)
        sent[name] = _text(name, value)
    given = {name: sent.get(name, "") for name in known}
    return given if exact else {name: value.strip() for name, value in given.items()}


def _pairs(request: Request) -> Pairs:
    body: bytes = request.environ["wsgi.input"].read(_MOST + 1)
    if len(body) > _MOST:
        raise Refusal(413, f"The body may have at most {_MOST} bytes.")
    if not body:
        return ()
    reader = _READERS.get(request.content_type)
    if reader is None or not is_utf_8(request):
        raise Refusal(415, f"Send the fields as {FORM} or as {_JSON}, in UTF-8.")
    return reader(body.decode("utf-8"))


def _of_form(text: str) -> Pairs:
    return parse_qsl(text, keep_blank_values=True, errors="strict")


def _of_json(text: str) -> Pairs:
    try:
        # An object becomes its pairs, so that a name that comes twice is seen.
        found = json.loads(text, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise Rejected("The body is no JSON.", field="body") from error
    if not isinstance(found, tuple):
        raise Rejected("Send a JSON object, with a text for each field.", field="body")
    return found


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or _HALF.search(value):
        raise Rejected(f"{name}: write it as text.", field=name)
    return value


_READERS: Mapping[str, Callable[[str], Pairs]] = {FORM: _of_form, _JSON: _of_json}
