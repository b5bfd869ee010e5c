"""The functions of the template at work, with its own table, settings and folder: what they ask AWS for, and
whether the role of each allows that. What stands in for AWS lets everybody do everything."""

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import pytest
import requests

from aws_lambda.publishing import noise
from support.buckets import BucketServer
from support.cloudformation import ACTIONS_OF_S3, LAMBDA_ARN, Stack, granted, may
from support.front_ends import FrontEnd
from support.functions import Function
from support.lambda_api import LambdaApi
from support.notifications import message, notification, record, removal
from support.secrets_manager import ARN, SecretsManager
from support.sending import upload, written
from support.sites import APP, PASSWORD, REPOSITORY, Backends, Site
from support.tables import REGION, DynamoDBLocal
from support.visitors import Visitor
from warehouse14.testing.builders import build_wheel

pytestmark = [pytest.mark.npm, pytest.mark.thorough]

TABLE_ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/{}"
SECRET = f"{ARN}:site-AbCdEf"
#: Has a function tell what it asks for: an ini beside the code, as the template's SettingsFile names one.
INI = """
[app:main]
use = egg:warehouse14
warehouse14.create_on_upload = true

[loggers]
keys = root, requests

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = WARNING
handlers = console

[logger_requests]
qualname = botocore.endpoint
level = DEBUG
handlers =

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain

[formatter_plain]
format = %(message)s
"""
_ASKED = re.compile(r"OperationModel\(name=(\w+)\) with params: (.*)")
_URL = re.compile(r"'url': '([^']+)'")
_COPIED = re.compile(r"'x-amz-copy-source': b?'([^']+)'")
_WRITTEN = re.compile(r'"(Get|Put|Update|Delete|ConditionCheck)": ?\{"TableName"')
_OF_ITEMS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
#: An action and what it is done to.
Right = tuple[str, str]
#: What of the rights of a role is for what none of these tests brings about: a copy in parts that fails, or
#: a race that is lost, and what the platform does by the role.
_RARE = {
    "HttpFunction": {("s3:DeleteObject", "blobs/*")},
    "GateFunction": {("s3:DeleteObject", "blobs/*"), ("s3:AbortMultipartUpload", "blobs/*")},
    "S3EventsFunction": {("s3:DeleteObject", "blobs/*"), ("s3:AbortMultipartUpload", "blobs/*")},
    "UpkeepFunction": set[Right](),
}
_OF_THE_PLATFORM = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
}


@dataclass
class Running:
    """A stack at work.

    Attributes:
        stack: what was made of the template.
        site: the same site for commands.
        front: where people ask it.
        functions: its functions, by their names in the template.
        api: what invokes the gate.
        bucket: the name of the bucket.
        table: the name of the table.
    """

    stack: Stack
    site: Site
    front: FrontEnd
    functions: dict[str, Function]
    api: LambdaApi
    bucket: str
    table: str

    def asked(self, name: str) -> set[Right]:
        """Return what a function has asked for by now."""
        return self.rights(self.functions[name].log())

    def rights(self, log: str) -> set[Right]:
        """Return the rights to do what a log tells of."""
        return {right for operation, said in _ASKED.findall(log) for right in self._rights(operation, said)}

    def _rights(self, operation: str, said: str) -> Iterator[Right]:
        found = _URL.search(said)
        assert found is not None, said
        path = unquote(urlsplit(found[1]).path)
        if operation == "GetSecretValue":
            yield "secretsmanager:GetSecretValue", SECRET
        elif operation == "Invoke":
            yield "lambda:InvokeFunction", LAMBDA_ARN.format(path.split("/")[3])
        elif path == "/":
            kinds = [_OF_ITEMS[kind] for kind in _WRITTEN.findall(said)]
            for action in kinds if operation.startswith("Transact") else [operation]:
                yield f"dynamodb:{action}", TABLE_ARN.format(self.table)
        else:
            assert path.startswith(f"/{self.bucket}")
            yield from _rights_to_files(operation, f"arn:aws:s3:::{path[1:]}", _COPIED.findall(said))


def _rights_to_files(operation: str, resource: str, copied: list[str]) -> Iterator[Right]:
    yield f"s3:{ACTIONS_OF_S3.get(operation, operation)}", resource
    for source in copied:
        yield "s3:GetObject", f"arn:aws:s3:::{unquote(source)}"


@pytest.fixture(scope="module")
def running(
    localstack: BucketServer, dynamodb: DynamoDBLocal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    bucket, table = localstack.fresh(), dynamodb.fresh()
    template = REPOSITORY / "deploy/aws/template.yaml"
    made = {"Table": table, "Table.Arn": TABLE_ARN.format(table), "Secret": SECRET, "DomainName": ""}
    given = {"BucketName": bucket, "IncomingAccount": "ada", "SettingsFile": "site.ini"}
    stack = Stack(template, given, made)
    [about] = stack.of_type("AWS::DynamoDB::Table").values()
    kept = ("AttributeDefinitions", "KeySchema", "BillingMode")
    dynamodb.client().create_table(TableName=table, **{key: about[key] for key in kept})
    here = {
        "warehouse14.metadata": "dynamodb",
        "warehouse14.metadata.table": table,
        "warehouse14.metadata.region": REGION,
        "warehouse14.metadata.endpoint_url": dynamodb.endpoint,
        "warehouse14.files": "s3",
        "warehouse14.files.bucket": bucket,
        "warehouse14.files.region": REGION,
        "warehouse14.files.endpoint_url": localstack.endpoint,
        "warehouse14.files.path_style": "true",
    }
    backends = Backends(here, localstack.credentials())
    site = Site.in_folder(tmp_path_factory.mktemp("stack") / "site", backends).prepare()
    # Who acts is looked up with the groups that they are in.
    site.command("group", "create", "crew", "--admin", "ada")
    with ExitStack() as ends:
        folder = Path(ends.enter_context(TemporaryDirectory(prefix="warehouse14-stack-")))
        (folder / "site.ini").write_text(INI, encoding="utf-8")
        manager = ends.enter_context(SecretsManager({"site-AbCdEf": "s" * 64}))
        elsewhere = {
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
            "WAREHOUSE14_FILES_ENDPOINT_URL": localstack.endpoint,
            "WAREHOUSE14_FILES_PATH_STYLE": "true",
            "WAREHOUSE14_URL": "",
            **manager.variables(),
        }

        def start(name: str, **more: str) -> Function:
            about = stack.of_type("AWS::Lambda::Function")[name]
            variables = {**about["Environment"]["Variables"], **elsewhere, **more}
            if name != "HttpFunction":
                variables.pop("WAREHOUSE14_URL")
            handler = about["Handler"].rpartition(".")[2]
            return ends.enter_context(Function(variables, handler=handler, folder=folder))

        functions = {name: start(name) for name in ("GateFunction", "S3EventsFunction", "UpkeepFunction")}
        api = ends.enter_context(LambdaApi(functions["GateFunction"], "GateFunction"))
        functions["HttpFunction"] = start("HttpFunction", **api.variables())
        front = ends.enter_context(FrontEnd("rest-api", functions["HttpFunction"]))
        yield Running(stack, site, front, functions, api, bucket, table)
    dynamodb.remove(table)


def at_work(running: Running, tmp_path: Path, store: BucketServer) -> None:
    """Do what people do with a site, until each function has been asked."""
    ada = Visitor(running.front, running.site.tokens["ada"])
    small = build_wheel("small", "1.0")
    assert ada.upload(small).status_code == 200
    assert ada.upload(small).status_code == 200
    assert ada.get(f"/packages/small/{small.filename}").content == small.content
    assert ada.get(f"/packages/small/{small.filename}.metadata").status_code == 200
    assert ada.page("small").status_code == 200
    assert Visitor(running.front, "no-token").page("small").status_code == 401
    assert requests.get(f"{running.front.url}/health/ready", timeout=30).status_code == 200
    in_browsers(running)
    [large] = written(tmp_path, noise("large", 12 * 1024 * 1024))
    upload(running.front, running.site.tokens["ada"], large).well()
    [refused] = written(tmp_path, build_wheel("refused", "1.0", extra_members={"../outside": b""}))
    assert upload(running.front, running.site.tokens["ada"], refused).status != 0
    running.api.settled()
    take_in(running, store)
    error = running.functions["UpkeepFunction"].invoke({"source": "aws.events"}, seconds=60).error
    assert error is None


def in_browsers(running: Running) -> None:
    """Sign in twice, look at the settings, and sign out of the other browser."""
    running.site.command("account", "set", "ada", "--administrator")
    browsers = [requests.Session(), requests.Session()]
    pages = [signed_in(running, browser) for browser in browsers]
    settings = browsers[0].get(f"{running.front.url}/admin/@@settings", timeout=30)
    assert settings.status_code == 200
    form = {"csrf_token": csrf(pages[0])}
    assert (
        browsers[0].post(f"{running.front.url}/account/@@sessions", data=form, timeout=30).status_code == 200
    )
    assert (
        browsers[1]
        .get(f"{running.front.url}/account/", timeout=30)
        .url.startswith(f"{running.front.url}/login")
    )
    for browser in browsers:
        browser.close()


def signed_in(running: Running, browser: requests.Session) -> requests.Response:
    """Sign in as ada, by the second password."""
    browser.trust_env = False
    for password in ("wrong", PASSWORD):
        page = browser.get(f"{running.front.url}/login", timeout=30)
        form = {"name": "ada", "password": password, "csrf_token": csrf(page), "next": "/account/"}
        page = browser.post(f"{running.front.url}/login", data=form, timeout=30)
    assert page.url == f"{running.front.url}/account/"
    return page


def csrf(page: requests.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def take_in(running: Running, store: BucketServer) -> None:
    """Put files below incoming/, a good one and a bad one, and remove a third."""
    good = build_wheel("taken", "1.0")
    names = [f"incoming/{good.filename}", "incoming/bad-1.0-py3-none-any.whl"]
    for name, body in zip(names, (good.content, b"no wheel"), strict=True):
        store.client().put_object(Bucket=running.bucket, Key=name, Body=body)
    gone = removal(running.bucket, "incoming/gone-1.0.tar.gz")
    for each in (*(record(running.bucket, name) for name in names), gone):
        event = notification(message(notification(each)))
        assert running.functions["S3EventsFunction"].invoke(event, seconds=60).error is None
    listed = store.client().list_objects_v2(Bucket=running.bucket, Prefix="incoming/")["Contents"]
    assert [each["Key"] for each in listed] == [names[1], f"{names[1]}.error.txt"]


def in_old_age(running: Running, store: BucketServer, log: pytest.LogCaptureFixture) -> None:
    """Do what the upkeep does with what has lain for a day: the function's own parts, without the wait."""
    for area in ("blobs", "staging"):
        store.client().create_multipart_upload(Bucket=running.bucket, Key=f"{area}/left")
        store.client().put_object(Bucket=running.bucket, Key=f"{area}/never/listed-1.0.tar.gz", Body=b"x")
    good = build_wheel("late", "1.0")
    for name, body in ((good.filename, good.content), ("worse-1.0-py3-none-any.whl", b"no wheel")):
        store.client().put_object(Bucket=running.bucket, Key=f"incoming/{name}", Body=body)
    running.site.configure(APP, warehouse14__incoming_account="ada")
    with running.site.library() as warehouse, log.at_level(logging.DEBUG, "botocore.endpoint"):
        assert list(warehouse.incoming.take_all())
        assert list(warehouse.upkeep.collect(older_than=timedelta(), never_listed=True))


def test_each_role_allows_what_its_function_asks_for_and_no_more(
    running: Running, localstack: BucketServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    at_work(running, tmp_path, localstack)
    in_old_age(running, localstack, caplog)
    roles = running.stack.of_type("AWS::IAM::Role")
    bucket = f"arn:aws:s3:::{running.bucket}"
    for name in running.functions:
        role = roles[name.replace("Function", "Role")]
        asked = running.asked(name)
        if name == "UpkeepFunction":
            asked |= running.rights("\n".join(record.getMessage() for record in caplog.records))
        if name == "HttpFunction":
            # These addresses are signed, and clients ask for them.
            asked |= {("s3:GetObject", f"{bucket}/blobs/x"), ("s3:PutObject", f"{bucket}/staging/x")}
        assert [right for right in sorted(asked) if not may(role, *right)] == []
        rare = {(action, f"{bucket}/{area}") for action, area in _RARE[name]}
        left = {
            (action, pattern)
            for action, pattern in granted(role)
            if action not in _OF_THE_PLATFORM
            and not any(fnmatchcase(resource, pattern) for asks, resource in asked if asks == action)
        }
        assert left == rare, name
