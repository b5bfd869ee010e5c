"""Old sites of other programs, filled as those programs fill them, and taking them over."""

import io
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Any
from uuid import uuid4

from boto3.dynamodb.types import TypeSerializer
from packaging.utils import canonicalize_name

from support.buckets import BucketServer
from support.sites import Site
from support.tables import DynamoDBLocal
from warehouse14.domain.model import File
from warehouse14.testing.builders import BuiltFile


class OldBucket:
    """A bucket of an old site."""

    def __init__(self, server: BucketServer) -> None:
        self.server = server
        self.name = server.fresh()
        self._client = server.client()

    def put(self, key: str, content: bytes, **more: str) -> None:
        self._client.upload_fileobj(io.BytesIO(content), self.name, key, ExtraArgs=more)

    def remove(self, key: str) -> None:
        self._client.delete_object(Bucket=self.name, Key=key)

    def add(self, *files: BuiltFile, folder: str = "") -> None:
        """Store files as elasticpypi does: under their names."""
        for file in files:
            self.put(f"{folder}{file.filename}", file.content)

    def times(self) -> dict[str, Any]:
        """Return what is there, with the time of each object."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {found["Key"]: found["LastModified"] for page in pages for found in page.get("Contents", ())}

    def take_into(
        self, site: Site, *words: str, program: str = "elasticpypi", table: str = "", port: int = 0
    ) -> "Report":
        """Run the command on a site."""
        site.variables |= self.server.credentials()
        endpoint = f"http://127.0.0.1:{port or self.server.port}"
        where = ["--from", program, *words, *filter(None, [table]), self.name]
        done = site.run(
            "import", *where, "--account", "ada", "--endpoint-url", endpoint, "--region", "us-east-1"
        )
        return Report(done)


class OldTable:
    """A table of an old Warehouse14, with rows as it writes them, and the bucket beside it."""

    def __init__(self, server: DynamoDBLocal, name: str, bucket: OldBucket) -> None:
        self.name = name
        self.bucket = bucket
        self.server = server
        self._client = server.client()
        self._write = TypeSerializer().serialize
        self.make("pk", "sk")

    def make(self, *key: str) -> None:
        """Make the table, with the names of its key."""
        self._client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(key, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in key],
        )

    def row(self, pk: str, sk: str, **more: Any) -> None:
        item = {name: self._write(value) for name, value in {"pk": pk, "sk": sk, **more}.items()}
        self._client.put_item(TableName=self.name, Item=item)

    def project(
        self,
        name: str,
        *files: BuiltFile,
        key: str | None = None,
        people: Mapping[str, str] | None = None,
        public: bool = False,
    ) -> None:
        """Add a project with its roles and files, and store the files."""
        pk = f"project#{key or canonicalize_name(name)}"
        self.row(pk, pk, name=name, versions=self.versions(*files))
        for who, role in (people or {}).items():
            self.row(pk, f"account#{who}", name=who, role=role)
        if public:
            self.row(pk, "account#public", role="member")
        self.bucket.add(*files, folder=f"{canonicalize_name(name)}/")

    @staticmethod
    def versions(*files: BuiltFile) -> dict[str, Any]:
        """Return what the row of a project says of files."""
        versions: dict[str, Any] = {}
        for file in files:
            version = file.filename.split("-")[1].removesuffix(".tar.gz")
            found = versions.setdefault(version, {"version": version, "metadata": {}, "files": []})
            found["files"].append(
                {"filename": file.filename, "sha256_digest": sha256(file.content).hexdigest()}
            )
            found["metadata"] = {"summary": "A summary", "description": "Grüße", "classifiers": ["A :: B"]}
        return versions

    def account(self, name: str) -> None:
        """Add somebody who has signed in and made a token."""
        pk, now = f"account#{name}", "2021-07-08T09:10:11.121314"
        self.row(pk, pk, created=now, updated=now)
        self.row(pk, f"token#{uuid4()}", name="laptop", key=token_hex(16), created=now)

    def count(self) -> int:
        """Return how many rows there are."""
        pages = self._client.get_paginator("scan").paginate(TableName=self.name, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def take_into(self, site: Site, *words: str) -> "Report":
        """Run the command on a site."""
        options = [*words, "--table-endpoint-url", self.server.endpoint]
        return self.bucket.take_into(site, *options, program="warehouse14", table=self.name)


class Report:
    """What the command said: its ``status``, the ``summary``, and the lines before it."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.status = done.returncode
        self.err = done.stderr
        *self.lines, self.summary = done.stdout.splitlines() or [""]

    @property
    def untaken(self) -> list[str]:
        """The lines about what was not taken."""
        return [line for line in self.lines if line.startswith("not taken: ")]

    def about(self, where: str) -> str:
        """Return the one line about something."""
        (line,) = (line for line in self.lines if f" {where}: " in line)
        return line


def listed(site: Site) -> dict[str, File]:
    """Return the listed files of a site by their names."""
    with site.library() as warehouse, warehouse.units.read() as unit:
        return {file.filename: file for file in unit.files.all()}


def roles(site: Site, project: str) -> Mapping[str, str]:
    """Return who has which role on a project."""
    with site.library() as warehouse:
        return dict(warehouse.projects.get(warehouse.operator(), project).grants)
