"""What is the same for every system that is measured."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TOOLS = ROOT / ".tools" / "bench"

#: Threads of every server.
THREADS = 8
#: Keep-alive connections of the load.
CONNECTIONS = 8
UPLOADERS = 4

MIB = 1024 * 1024
