"""Nothing secret that people and clients send is in a log, however much is logged."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import requests

from support.providers import Browser, Corp
from support.servers import Server, free_port
from support.sites import APP, PASSWORD, Site
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

WRONG = "not the right horse"
PROXY = "127.0.0.1"

_TOKEN = re.compile(r"wh14_[A-Za-z0-9]{20,}")
_FORM_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


@pytest.fixture(scope="module")
def talkative(corp: Corp, prepared_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a proxy that logs as much as it can, as JSON, and a line for each request."""
    site = prepared_site.copy_to(tmp_path_factory.mktemp("talkative") / "site")
    port = free_port()
    site.configure(APP, warehouse14__sign_in="local oidc:corp")
    own = {"title": "Corp", "trust_email": True, **corp.register(f"http://127.0.0.1:{port}", "corp")}
    site.configure(APP, **{f"warehouse14__sign_in__corp__{key}": value for key, value in own.items()})
    site.configure("server:main", trusted_proxy=PROXY, trusted_proxy_headers="x-forwarded-for")
    site.configure("loggers", keys="root, ours, access")
    site.configure("logger_ours", qualname="warehouse14", level="DEBUG", handlers="")
    site.configure("logger_access", qualname="warehouse14.access", level="DEBUG", handlers="")
    site.configure("formatter_plain", **{"class": "warehouse14.logs.JsonFormatter"})
    with Server(site, port=port) as started:
        yield started


class Journey:
    """What somebody does with a browser and a client, and all that was secret of it."""

    def __init__(self, corp: Corp, server: Server) -> None:
        self.server = server
        self.browser = Browser(server, origin=PROXY)
        self.secrets = {PASSWORD, WRONG, corp.secrets[-1], *server.site.tokens.values()}
        self._corp = corp

    def through_passwords(self) -> None:
        self.browser.post("/login", name="ada", password=WRONG)
        # A password in the wrong field.
        self.browser.post("/login", name=WRONG, password=PASSWORD)
        self.browser.post("/login", name="ada", password=PASSWORD)
        self.browser.get("/nothing/", params={"code": PASSWORD})
        self._keep()

    def through_tokens(self) -> None:
        made = self.browser.post(
            "/account/@@token", page="/account/", name="laptop", scope="upload", project="", days="30"
        )
        found = _TOKEN.search(made.text)
        assert found is not None
        token = found[0]
        self.secrets.add(token)
        assert Visitor(self.server, token).upload(build_wheel("quiet", "1.0")).status_code == 200
        changed = build_wheel("quiet", "1.0", body=b"# more")
        assert Visitor(self.server, token).upload(changed).status_code == 409
        for auth in ((token, ""), ("ada", token), ("ada", PASSWORD), ("__token__", token[:-1] + "x")):
            requests.get(f"{self.server.url}/simple/", auth=auth, timeout=60)
        # Where tokens do not belong.
        requests.get(f"{self.server.url}/simple/{token}/", auth=("__token__", token), timeout=60)
        requests.get(f"{self.server.url}/simple/", headers={"User-Agent": token}, timeout=60)
        self.browser.get(f"/projects/{token}/")
        self._keep()

    def through_the_provider(self) -> None:
        self._corp.sign_in(self._corp.person("quietly"))
        self.browser = Browser(self.server, origin=PROXY)
        answer = self.browser.get("/oauth/corp/@@start")
        assert answer.url == f"{self.server.url}/", answer.text
        (back,) = (each.url for each in answer.history if "/oauth/corp?" in each.url)
        sent = dict(parse_qsl(urlsplit(back).query))
        self.secrets |= {sent["code"], sent["state"]}
        # The same again, and one of nobody's.
        assert self.browser.get(back.removeprefix(self.server.url)).status_code == 403
        self.browser.get(f"/oauth/corp?code={quote(WRONG)}&state=stateofnobody")
        self.secrets.add("stateofnobody")
        self._keep()

    def _keep(self) -> None:
        """Keep the cookies that the browser has by now, and what stands in its forms."""
        self.secrets |= {cookie.value for cookie in self.browser.session.cookies if cookie.value}
        self.secrets |= set(_FORM_TOKEN.findall(self.browser.get("/account/").text))


def test_nothing_secret_of_sign_ins_and_uploads_is_in_the_log(corp: Corp, talkative: Server) -> None:
    journey = Journey(corp, talkative)
    journey.through_passwords()
    journey.through_tokens()
    journey.through_the_provider()
    log = talkative.log()
    # What would be a secret if there were any of these: the log is not empty for another reason.
    assert len(journey.secrets) > 8
    for said in ("/oauth/corp", "/legacy/", "/login", "a sign-in as ada", "no journey", "wh14_"):
        assert said in log
    assert [secret for secret in journey.secrets if secret in log or quote(secret) in log] == []
    assert "?" not in "".join(str(line.get("path")) for line in lines(talkative))


def test_a_name_that_the_trusted_proxy_gives_a_request_is_in_its_answer_and_its_line(
    talkative: Server,
) -> None:
    headers = {"X-Request-ID": "of-the-proxy", "X-Forwarded-For": "192.0.2.9"}
    answer = requests.get(f"{talkative.url}/simple/", headers=headers, timeout=60)
    assert answer.headers["X-Request-ID"] == "of-the-proxy"
    (line,) = (line for line in lines(talkative) if line.get("request") == "of-the-proxy")
    assert (line["address"], line["status"]) == ("192.0.2.9", 401)


def test_a_name_from_elsewhere_than_the_trusted_proxy_is_not_kept(talkative: Server) -> None:
    browser = Browser(talkative, origin="127.0.0.2")
    answer = browser.get("/health", headers={"X-Request-ID": "of-the-proxy-not"})
    assert answer.headers["X-Request-ID"] != "of-the-proxy-not"
    assert "of-the-proxy-not" not in talkative.log()


def lines(server: Server) -> list[dict[str, object]]:
    """Return the log: all but the first word of the server is JSON."""
    written = Path(server.site.folder / f"server-{server.port}.log").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in written if not line.startswith("Serving on ")]
