import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse14.adapters.filesystem import FilesystemStore, file_store
from warehouse14.domain.ports import FileStore
from warehouse14.settings import Section
from warehouse14.testing.file_store_contract import FileStoreContract


def opened(root: Path) -> FilesystemStore:
    store = file_store(Section("warehouse14.files.", {"root": str(root)}))
    assert isinstance(store, FilesystemStore)
    store.prepare()
    return store


def take_the_disk_away(root: Path) -> None:
    shutil.rmtree(root)


def put_files_for_folders(root: Path) -> None:
    for folder in (root / "blobs", root / "staging"):
        shutil.rmtree(folder)
        folder.write_bytes(b"")


class TestFilesystemStore(FileStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FileStore:
        return opened(tmp_path)

    @pytest.fixture
    def reopened(self, tmp_path: Path) -> Callable[[], FileStore]:
        return lambda: opened(tmp_path)

    @pytest.fixture(params=[take_the_disk_away, put_files_for_folders])
    def broken_store(self, tmp_path: Path, request: pytest.FixtureRequest) -> FileStore:
        store = opened(tmp_path / "root")
        request.param(tmp_path / "root")
        return store


class TestFilesystemStoreWhereStagedFilesNeedNames(TestFilesystemStore):
    @pytest.fixture(autouse=True)
    def _system_without_nameless_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
