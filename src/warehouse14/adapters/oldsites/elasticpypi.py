"""A site of elasticpypi: files in a bucket, under their names. Its table is an index of the bucket, which is
made of the same names, so that there is nothing in it to take."""

from typing import BinaryIO

from warehouse14.adapters.oldsites.bucket import Bucket, Object, is_folder
from warehouse14.domain.ports import OldContents, OldFile


class ElasticPyPI:
    """Implements ``OldSite``."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    @property
    def name(self) -> str:
        """See the port."""
        return f"elasticpypi {self._bucket.name}"

    def contents(self) -> OldContents:
        """See the port."""
        files = [_file(found) for found in self._bucket.objects() if not is_folder(found)]
        return OldContents(projects=(), files=files, untaken=(), notes=())

    def open(self, file: OldFile) -> BinaryIO:
        """See the port."""
        return self._bucket.open(file.where, file.etag)


def _file(found: Object) -> OldFile:
    # Whoever used other tools than the site's own put files into folders, too.
    filename = found.key.rpartition("/")[2]
    return OldFile(found.key, filename, found.size, found.at, found.etag)
