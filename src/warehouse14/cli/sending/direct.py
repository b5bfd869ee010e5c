"""Sending a file in parts straight to the store of an index: begin, send what is missing, finish, poll."""

import hashlib
import io
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Any

import requests

from warehouse14.cli.sending.local import Advance, Counted, LocalFile
from warehouse14.cli.sending.site import TIMES, NoCredentials, Refused, Site, pause_of, said, told

_UPLOADS = "/api/uploads"
#: How many parts are sent at the same time.
_AT_ONCE = 4
#: How often a part is sent that does not get there, and how long is waited before, in seconds.
_ATTEMPTS = 6
_PAUSE = 1.0
#: How often an upload is begun that ended on the way.
_BEGINNINGS = 3
#: What an index says that wants no part any more.
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it: whether the file is listed now that was not, and warnings for its publisher."""

    is_new: bool
    warnings: Sequence[str]


class NotTaken(Exception):
    """The index takes no parts: it has another store, or is another index."""


class Stopped(Exception):
    """Somebody else has given up."""


def send_in_parts(site: Site, file: LocalFile, advance: Advance, *, again: bool = False) -> Sent:
    """Publish a file; parts of it that have come before are not sent again, nor is a file that is listed,
    unless it is to be sent ``again``.

    Raises ``NotTaken``, and ``Refused`` with the sentence of the index.
    """
    for left in reversed(range(_BEGINNINGS)):
        begun = _begin(site, file, again=again)
        try:
            return _finished(site, file, begun, advance)
        except Refused as error:
            if error.status != 404 or not left:
                raise
    raise AssertionError


def _begin(site: Site, file: LocalFile, *, again: bool) -> requests.Response:
    form = file.form
    try:
        return site.post(
            _UPLOADS,
            {
                "name": form.name,
                "version": form.version or "",
                "filetype": form.filetype,
                "filename": form.filename,
                "size": str(file.size),
                "sha256": file.sha256,
                **({"again": "yes"} if again else {}),
            },
        )
    except Refused as error:
        if error.status in {404, 405}:
            raise NotTaken from error
        raise


def _finished(site: Site, file: LocalFile, answer: requests.Response, advance: Advance) -> Sent:
    path = f"{_UPLOADS}/{answer.headers.get('Location', '').rpartition('/')[2]}"
    if told(answer, state=str)["state"] == "sending":
        try:
            _send_missing(site, path, file, told(answer, part_bytes=int, sent=list), advance)
        except Refused as error:
            # Another has sent the same file meanwhile, and has finished it.
            if error.status != _CONFLICT:
                raise
        answer = site.post(f"{path}/finish")
    while answer.status_code == 202:
        time.sleep(pause_of(answer))
        answer = site.get(path)
    state = told(answer, changed=bool, warnings=list)
    return Sent(state["changed"], [str(warning) for warning in state["warnings"]])


def _send_missing(site: Site, path: str, file: LocalFile, state: Mapping[str, Any], advance: Advance) -> None:
    part_bytes: int = state["part_bytes"]
    starts = dict(enumerate(range(0, file.size, part_bytes), start=1))
    sent = set(state["sent"])
    advance(sum(min(part_bytes, file.size - starts[number]) for number in sent))
    stopping = Event()
    send = partial(_send_part, site, path, file, part_bytes, advance, stopping)
    _in_threads(send, [number for number in starts if number not in sent], stopping)


def _in_threads(send: Any, numbers: Iterable[int], stopping: Event) -> None:
    """Send parts, a few at a time; the first that fails ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(send, number) for number in numbers]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        finally:
            stopping.set()
            pool.shutdown(cancel_futures=True)


def _send_part(
    site: Site, path: str, file: LocalFile, part_bytes: int, advance: Advance, stopping: Event, number: int
) -> None:
    start = (number - 1) * part_bytes
    data = file.piece(start, part_bytes)
    if len(data) != min(part_bytes, file.size - start):
        # An address takes the length that was announced, and no other.
        raise Refused("It was changed while it was sent. Send it again.")
    asked = {"number": str(number), "sha256": hashlib.sha256(data).hexdigest()}
    for attempt in range(1, _ATTEMPTS + 1):
        # Each attempt has an address of its own: they do not last.
        where = told(site.post(f"{path}/part", asked), address=str, headers=dict)
        trouble = _put(where["address"], where["headers"], data, advance, stopping)
        if not trouble:
            return
        if stopping.wait(_PAUSE * attempt):
            raise Stopped
    raise Refused(f"The store does not take part {number}: {trouble}")


def _put(address: str, headers: dict[str, str], data: bytes, advance: Advance, stopping: Event) -> str:
    """Send one part, and return what kept it from getting there, if anything did."""
    told = 0

    def tell(count: int) -> None:
        nonlocal told
        if stopping.is_set():
            raise Stopped
        told += count
        advance(count)

    try:
        answer = requests.put(
            address,
            data=Counted(io.BytesIO(data), len(data), tell),
            headers=headers,
            auth=NoCredentials(),
            timeout=TIMES,
            allow_redirects=False,
        )
        trouble = "" if answer.status_code == 200 else said(answer)
    except requests.RequestException as error:
        # The address in it is as good as the right to send.
        trouble = type(error).__name__
    if trouble:
        advance(-told)
    return trouble
