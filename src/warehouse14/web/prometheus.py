"""The metrics as Prometheus reads them, through prometheus-client; imported by sites that show them alone."""

import atexit
import os
import threading
import time
from importlib.metadata import version

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    multiprocess,
)
from pyramid.request import Request
from pyramid.response import Response

from warehouse14.domain.errors import Misconfigured
from warehouse14.domain.warehouse import Warehouse
from warehouse14.web.metering import measured

#: Where several processes keep their numbers, for each to show those of all.
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
#: In seconds, from a page out of memory to an upload that takes its time.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
#: How old the numbers of the cache may be, in seconds.
_CACHE_SECONDS = 1.0


class PrometheusMeter:
    """Counts the requests of one site.

    Each process shows its own numbers, or those of all where the environment names a folder.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._folder = _shared_folder()
        self._registry = own = CollectorRegistry()
        self._requests = Counter(
            "warehouse14_requests", "Requests.", ["kind", "method", "status"], registry=own
        )
        self._seconds = Histogram(
            "warehouse14_request_seconds",
            "Seconds from a request to the beginning of its answer.",
            ["kind", "method"],
            buckets=_BUCKETS,
            registry=own,
        )
        self._bytes = Counter(
            "warehouse14_response_bytes", "Bytes in the bodies of answers.", ["kind"], registry=own
        )
        self._uploads = Counter("warehouse14_uploads", "Uploads.", ["outcome"], registry=own)
        self._downloads = Counter("warehouse14_downloads", "Files sent.", ["sent"], registry=own)
        self._download_bytes = Counter("warehouse14_download_bytes", "Bytes of files sent.", registry=own)
        self._sign_ins = Counter(
            "warehouse14_sign_ins", "Attempts to sign in with a browser.", ["way", "outcome"], registry=own
        )
        self._refused = Counter(
            "warehouse14_refused_credentials", "Requests with a token that was refused.", ["reason"],
            registry=own,
        )  # fmt: skip
        self._failures = Counter(
            "warehouse14_adapter_failures", "Requests that an adapter failed.", ["adapter"], registry=own
        )
        self._lookups = Counter(
            "warehouse14_cache_lookups", "Lookups in the cache.", ["outcome"], registry=own
        )
        self._cache_bytes = Gauge(
            "warehouse14_cache_bytes", "Bytes in the cache.", registry=own, multiprocess_mode="livesum"
        )
        self._ready = Gauge(
            "warehouse14_store_ready", "Whether a store answers.", ["store"], registry=own,
            multiprocess_mode="livemostrecent",
        )  # fmt: skip
        self._ready_seconds = Gauge(
            "warehouse14_store_seconds", "Seconds that a store took to answer.", ["store"], registry=own,
            multiprocess_mode="livemostrecent",
        )  # fmt: skip
        build = Gauge(
            "warehouse14_build_info", "The version, with the value 1.", ["version"], registry=own,
            multiprocess_mode="livemax",
        )  # fmt: skip
        build.labels(version("warehouse14")).set(1)
        self._found: dict[tuple[str, ...], tuple[Counter, Histogram, Counter]] = {}
        self._copying = threading.Lock()
        self._copied_at = float("-inf")
        self._hits = self._misses = 0
        if self._folder is None:
            ProcessCollector(registry=own)
        else:
            atexit.register(multiprocess.mark_process_dead, os.getpid(), self._folder)

    def count(self, request: Request, response: Response | None, seconds: float) -> None:
        """See the protocol."""
        found = measured(request, response)
        requests, took, sent = self._of_every_request(found.kind, found.method, found.status)
        requests.inc()
        took.observe(seconds)
        sent.inc(found.sent_bytes)
        if found.upload is not None:
            self._uploads.labels(found.upload).inc()
        if found.download is not None:
            self._downloads.labels(found.download).inc()
            self._download_bytes.inc(found.sent_bytes)
        if found.sign_in is not None:
            self._sign_ins.labels(*found.sign_in).inc()
        if found.refused_credentials is not None:
            self._refused.labels(found.refused_credentials).inc()
        if found.failed_adapter is not None:
            self._failures.labels(found.failed_adapter).inc()
        if time.monotonic() - self._copied_at > _CACHE_SECONDS:
            self._copy_cache()

    def page(self) -> bytes:
        """See the protocol. The stores are asked, not more often than their service allows."""
        for answer in self._warehouse.readiness.answers():
            self._ready.labels(answer.store).set(answer.is_well)
            self._ready_seconds.labels(answer.store).set(answer.seconds)
        self._copy_cache()
        if self._folder is None:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together, path=self._folder)
        return generate_latest(together)

    def _of_every_request(self, *labels: str) -> tuple[Counter, Histogram, Counter]:
        """Return what counts each request of a kind, a method and a class of status: to find these by their
        labels is most of what counting costs."""
        found = self._found.get(labels)
        if found is None:
            kind, method, _ = labels
            found = self._found[labels] = (
                self._requests.labels(*labels),
                self._seconds.labels(kind, method),
                self._bytes.labels(kind),
            )
        return found

    def _copy_cache(self) -> None:
        """Take over what the cache has counted."""
        cache = self._warehouse.index.cache
        with self._copying:
            hits, misses = cache.hits, cache.misses
            self._lookups.labels("hit").inc(hits - self._hits)
            self._lookups.labels("miss").inc(misses - self._misses)
            self._hits, self._misses = hits, misses
            self._cache_bytes.set(cache.size)
            self._copied_at = time.monotonic()


def _shared_folder() -> str | None:
    """Return the folder that the environment names, or None. Raises ``Misconfigured``."""
    folder = os.environ.get(_FOLDER)
    if folder is not None and not (os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)):
        raise Misconfigured(f"{_FOLDER} = {folder!r} is not a folder that can be written")
    return folder
