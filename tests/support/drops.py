"""A site's bucket, as those see it who put files into it with ordinary S3 tools."""

from dataclasses import dataclass
from typing import Any

from support.buckets import BucketServer
from support.notifications import notification, record
from support.sites import APP, Site
from warehouse14.cli.site import SiteFile
from warehouse14.domain.services.incoming import Outcome
from warehouse14.domain.services.incomingtexts import ABANDONED, ERROR
from warehouse14.domain.warehouse import Warehouse, utc_now
from warehouse14.testing.builders import BuiltFile

#: The account that all of it counts as uploaded by.
ACCOUNT = "cleo"
_PREFIX = "packages/incoming/"


@dataclass
class Drop:
    """Where others put files for a site."""

    site: Site
    store: BucketServer

    @property
    def bucket(self) -> str:
        return SiteFile(str(self.site.ini), "main").settings()["warehouse14.files.bucket"]

    def put(self, key: str, data: bytes, **said: str) -> str:
        """Put a file there, with what is said of it, and return what events call it."""
        self.store.client().put_object(Bucket=self.bucket, Key=_PREFIX + key, Body=data, **said)
        return _PREFIX + key

    def put_built(self, built: BuiltFile) -> str:
        return self.put(built.filename, built.content)

    def remove(self, key: str) -> str:
        """Remove a file, and return what events call it."""
        self.store.client().delete_object(Bucket=self.bucket, Key=_PREFIX + key)
        return _PREFIX + key

    def keys(self) -> list[str]:
        """Return what lies there."""
        pages = self.store.client().get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=_PREFIX)
        return [each["Key"].removeprefix(_PREFIX) for page in found for each in page.get("Contents", ())]

    def clear(self) -> None:
        """Remove all that lies there."""
        for key in self.keys():
            self.remove(key)

    def text(self, key: str) -> str:
        """Return what was said of a file."""
        found = self.store.client().get_object(Bucket=self.bucket, Key=_PREFIX + key + ERROR)
        text: str = found["Body"].read().decode()
        return text

    def event(self, *names: str) -> Any:
        """Return the notification that files of these names were put."""
        return notification(*(record(self.bucket, name) for name in names))

    def taken(self, *, later: bool = False) -> list[Outcome]:
        """Take in everything that waits, and return what came of each file; ``later`` is when whoever was
        killed is not taken any more for one at work."""
        with self.site.library() as warehouse:
            incoming = (at_night(warehouse) if later else warehouse).incoming
            return [taken.outcome for taken in incoming.take_all()]

    def listed(self, project: str) -> dict[str, bytes]:
        """Return the files of a project, by name."""
        with self.site.library() as warehouse:
            me = warehouse.account(ACCOUNT)
            found = {}
            for file in warehouse.projects.files(me, project):
                with warehouse.files.open(me, project, file.filename) as stream:
                    found[file.filename] = stream.read()
        return found


def at_night(warehouse: Warehouse) -> Warehouse:
    """Return the same site at a time when nobody is at work any more on what was put there."""
    return Warehouse(
        warehouse.units, warehouse.store, warehouse.policy, now=lambda: utc_now() + 2 * ABANDONED
    )


def dropped_at(site: Site, store: BucketServer) -> Drop:
    """Return the same site by another ini, by which it takes what is put there."""
    taking = Site(site.folder, site.variables)
    taking.tokens = site.tokens
    taking.ini = site.folder / "taking.ini"
    taking.ini.write_bytes(site.ini.read_bytes())
    taking.configure(APP, warehouse14__incoming_account=ACCOUNT)
    return Drop(taking, store)
