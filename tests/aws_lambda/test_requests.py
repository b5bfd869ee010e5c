"""What a request is, by whatever front end it comes; and whom the function believes about it."""

from typing import Any

import pytest

from support.front_ends import KINDS, event_of, headers_of
from support.functions import Function, variables_of
from support.runtime_api import Invocation
from support.sites import Site
from warehouse14.aws_lambda.events import client, front_end, place, settled
from warehouse14.aws_lambda.serving import _each_once

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
#: Where the events of the tests come from, as their front ends say.
PEER = "192.0.2.1"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def answer_of(invocation: Invocation) -> Any:
    assert invocation.error is None, invocation.error
    return invocation.answer


def status(function: Function, kind: str, path: str, query: str = "", *headers: tuple[str, str]) -> int:
    found: int = answer_of(function.invoke(event_of(kind, path, query, *headers)))["statusCode"]
    return found


def near(site: Site, addresses: str) -> str:
    """Return a token that counts for some addresses alone."""
    words = ("token", "mint", "ada", "--name", "near", "--scope", "read", "--address", addresses)
    return site.command(*words).strip()


def test_an_answer_has_the_name_of_its_invocation_whatever_the_client_calls_it(
    function: Function, kind: str
) -> None:
    invocation = function.invoke(event_of(kind, "/health", "", ("X-Request-ID", "mine")))
    headers = {name.lower(): value for name, value in headers_of(answer_of(invocation))}
    assert headers["x-request-id"] == invocation.id


def test_an_encoded_slash_is_one(function: Function, near_site: Site, kind: str) -> None:
    assert status(function, kind, "/simple%2F", "", bearer(near_site.tokens["ada"])) == 200


@pytest.mark.parametrize("path", ["/simple/%ff/", "/simple/日本/", "/simple/%25%32%35/", "//", "/%00"])
def test_an_odd_path_is_not_there(function: Function, near_site: Site, kind: str, path: str) -> None:
    assert status(function, kind, path, "", bearer(near_site.tokens["ada"])) in {200, 404}


# A load balancer passes on the last one alone, unless it is told to pass on several.
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"load-balancer"}))
def test_of_a_parameter_that_comes_twice_both_are_known(
    function: Function, near_site: Site, kind: str
) -> None:
    token = bearer(near_site.tokens["ada"])
    one = f"format={SIMPLE_JSON.replace('+', '%2B')}"
    assert status(function, kind, "/simple/", one, token) == 200
    assert status(function, kind, "/simple/", f"{one}&{one}", token) == 406


def test_addresses_begin_with_the_stage(function: Function, near_site: Site, kind: str) -> None:
    event = event_of(kind, "/simple", "", bearer(near_site.tokens["ada"]), ("X-Forwarded-Proto", "https"))
    headers = {name.lower(): value for name, value in headers_of(answer_of(function.invoke(event)))}
    assert headers["location"] == f"http://index.example{KINDS[kind].prefix}/simple/"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "found"),
    [
        ("198.51.100.7", 0, "198.51.100.7"),
        ("203.0.113.9, 198.51.100.7", 0, "198.51.100.7"),
        ("203.0.113.9,198.51.100.7", 1, "203.0.113.9"),
        ("198.51.100.7", 1, "198.51.100.7"),
        ("198.51.100.7:54321", 0, "198.51.100.7"),
        ("[2001:db8::7]:54321", 0, "2001:db8::7"),
        ("2001:db8::7", 0, "2001:db8::7"),
        ("unknown", 0, "unknown"),
        (" , ", 0, ""),
        ("", 3, ""),
    ],
)
def test_what_a_load_balancer_wrote_last_is_who_asks(forwarded: str, proxies: int, found: str) -> None:
    event = event_of("load-balancer")
    assert client(front_end(event), event, forwarded, proxies) == found


@pytest.mark.parametrize(
    ("path", "base", "found"),
    [
        ("/simple/", "", ("", "/simple/")),
        ("/base/simple/", "/base", ("/base", "/simple/")),
        ("/base", "/base", ("/base", "")),
        ("/based/simple/", "/base", ("", "/based/simple/")),
        ("/simple/", "/base", ("", "/simple/")),
        ("/%C3%A9", "", ("", "/\xc3\xa9")),
        ("/é日", "", ("", "/é日".encode().decode("latin-1"))),
    ],
)
def test_a_site_lies_where_its_address_says(path: str, base: str, found: tuple[str, str]) -> None:
    event = event_of("function-url", path)
    assert place(event, front_end(event), base) == found


@pytest.mark.parametrize("stage", ["simple", "prod"])
@pytest.mark.parametrize("kind", ["rest-api", "http-api"])
def test_a_stage_may_be_named_as_what_lies_below_it(kind: str, stage: str) -> None:
    event = event_of(kind, "/simple/demo/")
    context, whole = event["requestContext"], f"/{stage}/simple/demo/"
    if kind == "rest-api":
        context["path"] = whole
    else:
        context["stage"], event["rawPath"] = stage, whole
    assert place(event, front_end(event), f"/{stage}") == (f"/{stage}", "/simple/demo/")


def test_a_load_balancer_alone_is_told_a_status_in_words(function: Function, kind: str) -> None:
    answer = answer_of(function.invoke(event_of(kind, "/simple/")))
    assert answer.get("statusDescription") == ("401 Unauthorized" if "balancer" in kind else None)


@pytest.mark.parametrize("kind", ["rest-api", "load-balancer-several"])
def test_cookies_in_several_headers_are_those_of_one(kind: str) -> None:
    event = settled(event_of(kind, "/", "", ("Cookie", "a=1"), ("Cookie", "b=2; c=3"), ("X_Odd", "1")))
    headers = {name.lower(): values for name, values in event["multiValueHeaders"].items()}
    assert headers["cookie"] == ["a=1; b=2; c=3"]
    assert "x_odd" not in headers


def test_headers_that_come_again_are_kept_where_there_can_be_one_of_each_name() -> None:
    cookies = [("Set-Cookie", f"{name}=1") for name in "abcdef"]
    sent = _each_once([("Vary", "Accept"), *cookies, ("Vary", "Cookie"), ("ETag", '"x"')])
    assert len(dict(sent)) == len(sent) == 8
    assert [value for name, value in sent if name.lower() == "set-cookie"] == [value for _, value in cookies]
    assert dict(sent)["Vary"] == "Accept, Cookie"


def test_a_token_counts_for_the_address_that_the_front_end_says_and_no_header(
    function: Function, near_site: Site, kind: str
) -> None:
    here, elsewhere = near(near_site, f"{PEER}/32"), near(near_site, "198.51.100.0/24")
    said = ("X-Forwarded-For", "198.51.100.7")
    for spoof in (
        (),
        (said,),
        (("X_Forwarded_For", "198.51.100.7"),),
        (said, ("Forwarded", "for=198.51.100.7")),
    ):
        assert status(function, kind, "/simple/", "", bearer(here), *spoof) == 200
        assert status(function, kind, "/simple/", "", bearer(elsewhere), *spoof) == 401


def test_a_known_proxy_in_front_is_believed_and_nobody_before_it(near_site: Site) -> None:
    elsewhere = near(near_site, "198.51.100.0/24")
    with Function(variables_of(near_site) | {"WAREHOUSE14_LAMBDA_PROXIES": "1"}) as function:
        for kind in KINDS:
            for said, expected in (
                ("198.51.100.7", {200}),
                ("203.0.113.9, 198.51.100.7", {200}),
                ("198.51.100.7, 203.0.113.9", {401, 429}),
                ("", {401, 429}),
            ):
                headers = (bearer(elsewhere), *([("X-Forwarded-For", said)] if said else []))
                # After some attempts the address that is believed has to wait.
                assert status(function, kind, "/simple/", "", *headers) in expected, (kind, said)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"version": "3.0", "requestContext": {"http": {}}},
        {"requestContext": None},
    ],
)
def test_an_event_that_is_no_request_is_an_error_and_the_next_one_is_answered(
    function: Function, event: Any
) -> None:
    error = function.invoke(event).error
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"].startswith("this event is no HTTP request")
    assert status(function, "function-url", "/health") == 200
