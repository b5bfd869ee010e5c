"""Real S3-compatible stores on free loopback ports: LocalStack and OpenStack Swift, both from PyPI."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.servers import free_port, wait_until
from support.sites import REPOSITORY

_START_SECONDS = 120.0


class BucketServer(ABC):
    """A store and its buckets; a context manager that ends it and takes its data away.

    Attributes:
        key, secret: the credentials of whoever may do everything.
    """

    key: str
    secret: str

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="warehouse14-buckets-"))
        self._processes: list[subprocess.Popen[bytes]] = []

    @abstractmethod
    def _start(self) -> None:
        """Start its processes."""

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def credentials(self) -> dict[str, str]:
        """Return the variables in which boto3 finds the credentials."""
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret}

    def client(self) -> Any:
        """Return a client with all rights: always the same one, whose connections are closed at the end."""
        return self._client

    @cached_property
    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=30,
                # What the store has closed in between is opened anew.
                retries={"total_max_attempts": 2},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def fresh(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"bucket-{secrets.token_hex(6)}"
        self.client().create_bucket(Bucket=name)
        return name

    def log(self) -> str:
        """Return what its processes have written."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _run(self, name: str, words: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start a process."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    env={"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8", **environment},
                    start_new_session=True,
                )
            )

    def _is_well(self) -> bool:
        for process in self._processes:
            assert process.poll() is None, self.log()
        try:
            self.client().list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def __enter__(self) -> Self:
        try:
            self._start()
            wait_until(self._is_well, seconds=_START_SECONDS, what=f"the start of {type(self).__name__}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._client.close()
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


#: It keeps what it holds in one folder of the whole machine, which the account of another run may own.
_LOCALSTACK = """
import sys
from localstack.services.s3 import provider
provider.DEFAULT_S3_TMP_DIR = sys.argv[1]
from localstack.runtime.main import main
main()
"""


class LocalStack(BucketServer):
    """LocalStack: what it does is closest to AWS, but it lets everybody in who has no signed address."""

    #: What it takes addresses to be signed with.
    key = "test"
    secret = "test"

    def _start(self) -> None:
        python = REPOSITORY / ".tools/localstack/bin/python"
        variables = {
            "SERVICES": "s3",
            "STRICT_SERVICE_LOADING": "1",
            # The default one listens on all addresses.
            "GATEWAY_SERVER": "hypercorn",
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",
            "OVERRIDE_IN_DOCKER": "0",
            "LOCALSTACK_VOLUME_DIR": str(self.folder / "volume"),
            # By default beside its own modules, where each start leaves a folder.
            "FILESYSTEM_ROOT": str(self.folder / "root"),
            "TMPDIR": str(self.folder),
        }
        self._run("localstack", [python, "-c", _LOCALSTACK, self.folder / "objects"], variables)


class Swift(BucketServer):
    """OpenStack Swift with its S3 interface: it checks who asks; its conditional writes are not atomic."""

    key = "test:tester"
    secret = "testing"

    _KINDS = ("account", "container", "object")
    _FILTERS = (
        "catch_errors",
        "gatekeeper",
        "healthcheck",
        "cache",
        "listing_formats",
        "s3api",
        "tempauth",
        "copy",
        "slo",
        "dlo",
        "versioned_writes",
    )

    def _start(self) -> None:
        programs = REPOSITORY / ".tools/swift/bin"
        ports = {kind: free_port() for kind in self._KINDS}
        (self.folder / "devices/one").mkdir(parents=True)
        self._write("swift", "[swift-hash]", "swift_hash_path_prefix = a", "swift_hash_path_suffix = b")
        for kind, port in ports.items():
            self._make_ring(programs, kind, port)
            self._write(f"{kind}-server", *self._server(kind, port))
        self._write("proxy-server", *self._proxy())
        for kind in (*self._KINDS, "proxy"):
            name = f"{kind}-server"
            # The programs look for swift.conf in the folder that this names.
            words = [
                programs / "python",
                programs / f"swift-{name}",
                self.folder / f"{name}.conf",
                "--verbose",
            ]
            self._run(name, words, {"SWIFT_TEST_CONFIG_FILE": "", "TMPDIR": str(self.folder)})

    def _make_ring(self, programs: Path, kind: str, port: int) -> None:
        builder = self.folder / f"{kind}.builder"
        for words in (
            ["create", "4", "1", "1"],
            ["add", f"r1z1-127.0.0.1:{port}/one", "1"],
            ["rebalance"],
        ):
            done = subprocess.run(
                [programs / "python", programs / "swift-ring-builder", builder, *words],
                capture_output=True,
                text=True,
                check=False,
                cwd=self.folder,
            )
            # 1 is a warning.
            assert done.returncode in {0, 1}, done.stdout + done.stderr

    def _server(self, kind: str, port: int) -> list[str]:
        return [
            "[DEFAULT]",
            "bind_ip = 127.0.0.1",
            f"bind_port = {port}",
            f"swift_dir = {self.folder}",
            f"devices = {self.folder / 'devices'}",
            "mount_check = false",
            "workers = 0",
            "fallocate_reserve = 0",
            "[pipeline:main]",
            f"pipeline = {kind}-server",
            f"[app:{kind}-server]",
            f"use = egg:swift#{kind}",
        ]

    def _proxy(self) -> list[str]:
        return [
            "[DEFAULT]",
            "bind_ip = 127.0.0.1",
            f"bind_port = {self.port}",
            f"swift_dir = {self.folder}",
            "workers = 0",
            "[pipeline:main]",
            f"pipeline = {' '.join(self._FILTERS)} proxy-server",
            "[app:proxy-server]",
            "use = egg:swift#proxy",
            "allow_account_management = true",
            "account_autocreate = true",
            "[filter:tempauth]",
            "use = egg:swift#tempauth",
            "user_test_tester = testing .admin",
            "[filter:s3api]",
            "use = egg:swift#s3api",
            "location = us-east-1",
            "[filter:cache]",
            "use = egg:swift#memcache",
            # Nobody is there, and nobody has to be.
            f"memcache_servers = 127.0.0.1:{free_port()}",
            *(
                line
                for name in self._FILTERS
                if name not in {"tempauth", "s3api", "cache"}
                for line in (f"[filter:{name}]", f"use = egg:swift#{name}")
            ),
        ]

    def _write(self, name: str, *lines: str) -> None:
        (self.folder / f"{name}.conf").write_text("\n".join(lines) + "\n", encoding="ascii")
