"""Each of several processes shows its own numbers, or all show those of all."""

from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from support.servers import Server
from support.sites import APP, Site
from support.visitors import Visitor

ASKED = 3


def asked_of_two(site: Site) -> tuple[float, float]:
    """Return what each of two processes says after each was asked for pages."""
    site.configure(APP, warehouse14__metrics__addresses="127.0.0.1")
    with Server(site) as one, Server(site) as two:
        for server in (one, two):
            for _ in range(ASKED):
                assert Visitor(server, site.tokens["ada"]).get("/simple/").status_code == 200
        return pages(one), pages(two)


def metrics(server: Server) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return the samples that a server shows, by name."""
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def pages(server: Server) -> float:
    """Return how many pages of the index a server says were sent."""
    shown = metrics(server)["warehouse14_requests_total"]
    return sum(value for labels, value in shown if labels["kind"] == "simple")


def test_each_process_answers_for_itself(site: Site) -> None:
    assert asked_of_two(site) == (ASKED, ASKED)


def test_with_a_folder_in_common_each_answers_for_both(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "numbers"
    folder.mkdir()
    site.variables["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    assert asked_of_two(site) == (2 * ASKED, 2 * ASKED)
    # Their sums are kept, and not what they had at the time.
    left = {path.name.partition("_")[2].rpartition("_")[0] for path in folder.iterdir()}
    assert not any(path.name.startswith("gauge_live") for path in folder.iterdir()), left
    with Server(site) as third:
        assert pages(third) == 2 * ASKED
        shown = metrics(third)
        assert [value for _, value in shown["warehouse14_store_ready"]] == [1, 1]
        assert [value for _, value in shown["warehouse14_build_info"]] == [1]
