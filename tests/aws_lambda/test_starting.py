"""How a function begins: once in a process, or with one line that says why it does not."""

import gc
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.front_ends import event_of
from support.functions import Function, variables_of
from support.secrets_manager import ARN, SecretsManager
from support.servers import free_port
from support.sites import Site
from warehouse14.aws_lambda import _loading

EVENT = event_of("function-url", "/health")
_PROVIDER = {
    "WAREHOUSE14_SIGN_IN": "local oidc:corp",
    "WAREHOUSE14_SIGN_IN_CORP_SERVER_METADATA_URL": "https://login.example/.well-known/openid-configuration",
    "WAREHOUSE14_SIGN_IN_CORP_CLIENT_ID": "warehouse14",
    "WAREHOUSE14_SIGN_IN_CORP_CLIENT_SECRET": "a secret of the provider's",
    "WAREHOUSE14_URL": "https://index.example",
    "WAREHOUSE14_SECRET": "",
}
_S3 = {
    "WAREHOUSE14_FILES": "s3",
    "WAREHOUSE14_FILES_ROOT": "",
    "WAREHOUSE14_FILES_BUCKET": "index",
    "WAREHOUSE14_FILES_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",
    "WAREHOUSE14_FILES_ATTEMPTS": "1",
}
#: What is wrong with a function, and what its one line says.
WRONG: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a variable that is misspelt": (
        {"WAREHOUSE14_CREATOR": "account:ada"},
        "unknown setting: warehouse14.creator (did you mean warehouse14.creators?)",
    ),
    "no store": ({"WAREHOUSE14_METADATA": ""}, "warehouse14.metadata is not set"),
    "a value that is none": (
        {"WAREHOUSE14_LAMBDA_PROXIES": "all"},
        "warehouse14.lambda_proxies = 'all' is not",
    ),
    "a store that does not answer": (_S3, "the bucket index: Could not connect"),
    "an ini that is not there": ({"WAREHOUSE14_INI": "site.ini"}, "site.ini"),
    "a secret for each process": (_PROVIDER, "set warehouse14.secret or warehouse14.secret_arn"),
    "a secret that has no such name": (
        {"WAREHOUSE14_SECRET": "", "WAREHOUSE14_SECRET_ARN": "mine"},
        "warehouse14.secret_arn is not the ARN of a secret",
    ),
    "a secret that is too short": ({"WAREHOUSE14_SECRET": "short"}, "less than 32 characters"),
    "a folder that cannot be written": (
        {"WAREHOUSE14_METADATA_URL": "sqlite:////var/task/index.sqlite"},
        "/var/task/index.sqlite",
    ),
}


@pytest.mark.parametrize(
    "handler", ["http", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("gate", "upkeep"))]
)
@pytest.mark.parametrize("kind", WRONG)
def test_what_keeps_a_function_from_beginning_is_one_line(near_site: Site, kind: str, handler: str) -> None:
    variables, told = WRONG[kind]
    given = {name: value for name, value in (variables_of(near_site) | variables).items() if value}
    with Function(given, handler=handler) as function:
        assert function.ends() == 2
        [line] = function.log().splitlines()
        assert line.startswith("warehouse14: ")
        assert told in line
        assert "provider's" not in line


def test_one_process_makes_the_application_once(near_site: Site) -> None:
    with Function(variables_of(near_site)) as function:
        for _ in range(3):
            assert function.invoke(EVENT).answer["statusCode"] == 200
        assert function.log() == ""


def test_while_a_handler_is_made_no_garbage_is_looked_for_and_afterwards_it_is() -> None:
    with _loading():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.unfreeze()


def test_the_ini_may_lie_in_the_folder_of_the_code_and_variables_come_first(
    near_site: Site, tmp_path: Path
) -> None:
    text = near_site.ini.read_text(encoding="utf-8").replace("%(here)s", str(near_site.folder))
    (tmp_path / "site.ini").write_text(f"{text}\n[app:other]\nuse = egg:warehouse14\n", encoding="utf-8")
    variables = {"WAREHOUSE14_INI": "site.ini#main", "WAREHOUSE14_URL": "https://index.example/base"}
    with Function(variables, folder=tmp_path) as function:
        token = ("Authorization", f"Bearer {near_site.tokens['ada']}")
        answer = function.invoke(event_of("function-url", "/base/simple", "", token)).answer
        assert answer["headers"]["location"] == "https://index.example/base/simple/"


def test_the_secret_comes_from_secrets_manager_and_stands_in_no_log(near_site: Site) -> None:
    secret = "a secret that lies in AWS Secrets Manager"
    with SecretsManager({"index-AbCdEf": json.dumps({"site": secret})}) as manager:
        variables = variables_of(near_site) | manager.variables()
        del variables["WAREHOUSE14_SECRET"]
        variables["WAREHOUSE14_SECRET_ARN"] = f"{ARN}:index-AbCdEf:site"
        with Function(variables) as function:
            assert function.invoke(EVENT).answer["statusCode"] == 200
            assert manager.asked == [f"{ARN}:index-AbCdEf"]
            assert secret not in function.log()


@pytest.mark.parametrize("form", ["Text", "JSON"])
def test_it_logs_as_the_formatters_of_a_site_do_with_the_name_of_the_invocation(
    near_site: Site, form: str
) -> None:
    with Function(variables_of(near_site) | {"AWS_LAMBDA_LOG_FORMAT": form}) as function:
        invocation = function.invoke(event_of("function-url", "/no\nsuch\npage"))
        assert invocation.answer["statusCode"] in {303, 404}
        event = event_of("function-url", "/login", "", ("Host", "not a host"), method="GET")
        event["headers"]["host"] = "not a host"
        refused = function.invoke(event)
        assert refused.answer["statusCode"] == 400
        line = function.log().splitlines()[-1]
        if form == "JSON":
            assert json.loads(line)["message"].endswith(f"[request {refused.id}]")
            assert json.loads(line)["request"] == refused.id
        else:
            assert line.endswith(f"[request {refused.id}]")
            assert " INFO warehouse14.web.errors 400 to GET " in line


def test_what_was_put_off_is_done_when_the_answer_is_handed_back(near_site: Site) -> None:
    """The process stands still from then on, as on the platform."""
    text = near_site.mint("ada")
    event = event_of(
        "function-url", "/simple/", "", ("Authorization", f"Bearer {text}"), ("User-Agent", "pip/26.3")
    )
    with Function(variables_of(near_site), freezes=True) as function:
        assert function.invoke(event).answer["statusCode"] == 200
        with near_site.library() as warehouse:
            [used] = [
                token
                for token in warehouse.tokens.listed(warehouse.operator(), "ada")
                if token.id == text.removeprefix("wh14_")[:10]
            ]
        assert (used.last_used_from, used.last_used_by) == ("192.0.2.1", "pip/26.3")
        assert function.invoke(event).answer["statusCode"] == 200
