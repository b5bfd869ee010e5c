"""Files that are in a site before a function looks at it."""

import os

from support.sites import Site
from warehouse14.domain.model import File
from warehouse14.domain.services.uploadform import form_of
from warehouse14.testing.builders import BuiltFile, build_wheel


def noise(name: str, size: int) -> BuiltFile:
    """Return a wheel of about ``size`` bytes, which nothing makes smaller."""
    return build_wheel(name, "1.0", extra_members={f"{name}/noise": os.urandom(size)})


def publish(site: Site, built: BuiltFile) -> File:
    """Publish a file as ada, and return what is listed of it."""
    with site.library() as warehouse:
        form = form_of(built.filename)
        return warehouse.uploads.publish(warehouse.account("ada"), form, [built.content]).file
