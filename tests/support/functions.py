"""Functions as AWS Lambda runs them: its own runtime client, in processes that have its environment alone."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.runtime_api import Invocation, RuntimeApi
from support.sites import REPOSITORY, Site
from warehouse14.cli.site import SiteFile

#: The runtime client of AWS, in a process that may write below /tmp alone.
_RUNTIME = REPOSITORY / "tests/support/function_runtime.py"
SECRET = "a secret that all processes of the function share"


#: Settings of folders that a function has not, and of what is shown to those who change the look.
_LEFT_OUT = frozenset({"warehouse14.tmp", "warehouse14.secret_file", "warehouse14.style_page"})


def as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of an ini as variables, with a secret in the place of that in a file."""
    ours = {key: value for key, value in settings.items() if key.startswith("warehouse14.") and value}
    named = {key.upper().replace(".", "_"): value for key, value in ours.items() if key not in _LEFT_OUT}
    return {**named, "WAREHOUSE14_SECRET": SECRET}


def variables_of(site: Site) -> dict[str, str]:
    """Return what a function needs to serve a site."""
    return as_variables(SiteFile(str(site.ini), "main").settings()) | dict(site.variables)


def resident_bytes(pid: int) -> int:
    """Return how much memory a process has in use (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


class Function:
    """A function and its processes; a context manager that ends them.

    Attributes:
        api: where they ask for work.
    """

    def __init__(
        self,
        variables: Mapping[str, str],
        *,
        handler: str = "http",
        folder: Path | None = None,
        processes: int = 1,
        freezes: bool = False,
        core: int | None = None,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        """Remember how to start.

        ``variables`` come on top of those of Lambda, ``folder`` is the one that its code lies in, by default
        an empty one, and each of the ``processes`` has one event at a time. One that ``freezes`` stands still
        from its answer to the next event. To be measured, all of it runs on one ``core``, and nobody watches
        where it writes. ``python`` is the interpreter, with its options.
        """
        self.api = RuntimeApi()
        self._variables = dict(variables)
        self._handler = f"warehouse14.aws_lambda.{handler}"
        self._stack = ExitStack()
        self._folder = folder
        self._count = processes
        self._core = core
        self._python = list(python)
        if freezes:
            self.api.after_answer = lambda: self._signal(signal.SIGSTOP)
            self.api.before_event = lambda: self._signal(signal.SIGCONT)
        self.processes: list[subprocess.Popen[bytes]] = []

    def environment(self) -> dict[str, str]:
        """Return what a process of the function finds: nothing of this machine."""
        return {
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_NAME": "index",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/index",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0",
            "AWS_LAMBDA_RUNTIME_API": self.api.address,
            "LAMBDA_TASK_ROOT": str(self._folder),
            "_HANDLER": self._handler,
            **self._variables,
        }

    def invoke(self, event: Any, *, seconds: float = 30.0) -> Invocation:
        """Send it an event, for which it has ``seconds``, and return what came of it."""
        return self.api.invoke(event, seconds=seconds)

    def replace_dead(self) -> None:
        """Start processes in the place of those that have ended, as the platform does."""
        dead = [process for process in self.processes if process.poll() is not None]
        for process in dead:
            self.processes.remove(process)
            self._start()
        if dead:
            self.api.give_up({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited"})

    def log(self) -> str:
        """Return what its processes have written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ends(self, *, seconds: float = 30.0) -> int:
        """Wait until its one process ends by itself, and return the status."""
        [process] = self.processes
        return process.wait(timeout=seconds)

    def __enter__(self) -> Self:
        self._stack.enter_context(self.api)
        own = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="warehouse14-function-")))
        self._folder = self._folder or own
        self._log = own / "log"
        for _ in range(self._count):
            self._start()
            self._keep_on_its_core()
        return self

    def _start(self) -> None:
        watched, bare = [_RUNTIME], ["-m", "awslambdaric"]
        runtime = watched if self._core is None else bare
        with self._log.open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [*self._python, *runtime, self._handler],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env=self.environment(),
                    start_new_session=True,
                )
            )

    def _keep_on_its_core(self) -> None:
        if self._core is not None:
            os.sched_setaffinity(self.processes[-1].pid, {self._core})

    def _signal(self, number: int) -> None:
        for process in self.processes:
            os.killpg(process.pid, number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            if process.poll() is None:
                # Lambda, too, tells a function without extensions nothing before its end.
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
        if kind is not None:
            sys.stderr.write(self.log())
        self._stack.close()
