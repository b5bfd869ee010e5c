"""What the adapters on boto3 share: what it read of the services from its data files."""

from functools import cache

import boto3
import botocore.loaders
import botocore.session


def new_session() -> boto3.Session:
    """Return a session that finds its credentials by itself, and reads no file of a service that another has
    read: of S3 and DynamoDB these take some 60 ms and 7 MiB each time. Raises botocore's errors for a
    configuration that cannot be read."""
    core = botocore.session.get_session()
    loader = _loader(core.get_config_variable("data_path"))
    core.register_component("data_loader", loader)
    session = boto3.Session(botocore_session=core)
    # Each session adds its own folder to those that are looked through.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    return session


@cache
def _loader(folders: str | None) -> botocore.loaders.Loader:
    """Return what has read, and keeps, the files below these folders (AWS_DATA_PATH) and its own."""
    return botocore.loaders.create_loader(folders)
