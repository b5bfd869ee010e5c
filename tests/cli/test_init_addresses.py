"""The addresses that the first ``warehouse14 init`` prints: what the ini says of them, nothing guessed."""

import re
from typing import Any

import pytest
from webtest import TestApp

from warehouse14.cli.site import SiteFile

_PRINTED = re.compile(r"https?://(?:__token__:\$TOKEN@)?([^\s\"]+)/(?:legacy|simple)/")
_APP = """
[app:{name}]
use = egg:warehouse14
warehouse14.metadata = memory
warehouse14.files = memory
{more}
"""
_SERVER = """
[server:main]
use = egg:warehouse14
listen = 127.0.0.1:6543
{more}
"""
_PREFIX = """
[filter:prefix]
use = egg:PasteDeploy#prefix
prefix = {prefix}
"""
_FILTER = """
[filter:other]
use = egg:some-package#prefix
prefix = /of-its-own
"""
_HOST = "127.0.0.1:6543"
_COMPOSITE = "[composite:main]\nuse = egg:rutter#urlmap\n"
_INNER = "[composite:inner]\nuse = egg:rutter#urlmap\n/deep = index\n"
_FILTER_APP = "[filter-app:main]\nuse = egg:PasteDeploy#prefix\nprefix = /own\nnext = index\n"
_LINE = "[pipeline:line]\npipeline = prefix index\n"


def _app(name: str, more: str = "") -> str:
    return _APP.format(name=name, more=more)


def _server(more: str = "") -> str:
    return _SERVER.format(more=more)


def _prefix(prefix: str) -> str:
    return _PREFIX.format(prefix=prefix)


def _printed(command: Any, ini: str, *words: str, section: str = "index") -> str:
    """Return the one place that all the lines of ``init`` show, without its scheme."""
    command.ini.write_text(ini)
    outcome = command("init", *words, ini=f"{command.ini}#{section}")
    assert (outcome.status, outcome.err) == (0, "")
    places = _PRINTED.findall(outcome.out)
    assert len(places) == 4
    assert len(set(places)) == 1
    place: str = places[0]
    return place


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("/python/index", "/python/index"),
        ("python/index/", "/python/index"),
        ("/", ""),
        ("", ""),
        ("/our index", "/our%20index"),
    ],
)
def test_the_prefix_of_the_server_is_shown(empty: Any, prefix: str, path: str) -> None:
    ini = _app("main") + _server(f"url_prefix = {prefix}")
    assert _printed(empty, ini, section="main") == _HOST + path


def test_the_path_in_a_composite_is_shown(empty: Any) -> None:
    ini = _COMPOSITE + "/one = one\n/team//two/ = two\n/ = three\n" + _server()
    for name, path in (("one", "/one"), ("two", "/team/two"), ("three", "")):
        assert _printed(empty, ini + _app(name), section=name) == _HOST + path


def test_the_path_in_a_composite_comes_after_the_prefix_of_the_server(empty: Any) -> None:
    ini = _COMPOSITE + "/one = index\n" + _app("index") + _server("url_prefix = /python")
    assert _printed(empty, ini) == f"{_HOST}/python/one"


def test_another_place_to_listen_keeps_the_prefix_and_the_path(empty: Any) -> None:
    ini = _COMPOSITE + "/one = index\n" + _app("index") + _server("url_prefix = /python")
    assert _printed(empty, ini, "--listen", "0.0.0.0:7000") == "127.0.0.1:7000/python/one"


@pytest.mark.parametrize(
    ("mounted", "path"),
    [
        ("[pipeline:main]\npipeline = prefix index\n", "/wiki"),
        (_FILTER_APP, "/own"),
        (_COMPOSITE + "filter-with = prefix\n/one = index\n", "/wiki/one"),
        (_COMPOSITE + "/one = line\n" + _LINE, "/one/wiki"),
        (_COMPOSITE + "/outer = inner\n" + _INNER, "/outer/deep"),
    ],
    ids=["a pipeline", "filter-app", "before a composite", "in a composite", "two composites"],
)
def test_what_filters_and_composites_take_away_is_shown_and_the_index_answers_there(
    empty: Any, mounted: str, path: str
) -> None:
    assert _printed(empty, mounted + _app("index") + _prefix("/wiki/") + _server()) == _HOST + path
    application = TestApp(SiteFile(str(empty.ini), "main").application())
    assert application.get(f"{path}/health").text == "ok\n"
    application.get(f"{path}/simple/", status=401)


def test_the_prefix_of_the_sections_own_filter_is_shown(empty: Any) -> None:
    ini = _app("index", "filter-with = prefix") + _prefix("/wiki") + _server()
    assert _printed(empty, ini) == f"{_HOST}/wiki"
    TestApp(SiteFile(str(empty.ini), "index").application()).get("/wiki/health")


def test_a_prefix_among_other_filters_is_shown(empty: Any) -> None:
    line = "[pipeline:main]\npipeline = other prefix other index\n"
    assert _printed(empty, line + _FILTER + _app("index") + _prefix("/wiki") + _server()) == f"{_HOST}/wiki"


def test_of_two_places_the_nearer_is_shown(empty: Any) -> None:
    main = _COMPOSITE + "/outer = inner\n/here = index\n/there = index\n"
    ini = main + _INNER + "/again = main\n" + _app("index") + _server()
    assert _printed(empty, ini) == f"{_HOST}/here"


@pytest.mark.parametrize(
    "mounted",
    [
        "[composite:main]\nuse = egg:some-package#router\n/one = index\n",
        _COMPOSITE + "domain one.example /one = index\n/two = config:other.ini\n/three = no-such\n",
        "[pipeline:main]\npipeline = other index\n" + _FILTER,
        "[pipeline:main]\npipeline =\n",
        _app("main") + _prefix("/wiki"),
        "",
    ],
    ids=["another composite", "another host", "another filter", "an empty pipeline", "unused", "nothing"],
)
def test_what_the_ini_does_not_say_is_not_guessed(empty: Any, mounted: str) -> None:
    assert _printed(empty, mounted + _app("index") + _server()) == _HOST


def test_an_ini_without_a_server_shows_the_path_alone(empty: Any) -> None:
    assert _printed(empty, _COMPOSITE + "/one = index\n" + _app("index")) == f"{_HOST}/one"


def test_the_public_address_is_shown_as_it_is(empty: Any) -> None:
    public = "warehouse14.url = https://example.com/python"
    ini = _COMPOSITE + "/one = index\n" + _app("index", public) + _server("url_prefix = /wiki")
    assert _printed(empty, ini) == "example.com/python"


def test_a_server_that_cannot_be_read_costs_nobody_the_password(empty: Any) -> None:
    """What cannot be read is said before there is an account."""
    empty.set("[server:main]", "[server:main]\nurl_prefix = %(nowhere)s")
    outcome = empty("init")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    empty.set("%(nowhere)s", "/python")
    later = empty("init").out
    assert "password  " in later
    assert f"http://{_HOST}/python/legacy/" in later
