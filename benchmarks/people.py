"""Rows of people who sign in through an identity provider: how long that takes here, without the provider."""

import time
from collections.abc import Callable
from statistics import median

import requests

from benchmarks.bench import Bench
from benchmarks.processes import BenchmarkError
from benchmarks.provider import Provider
from benchmarks.report import Group, Row
from benchmarks.sites import Site

_PEOPLE = 30
_SHARE_MS = 100.0


def people(bench: Bench) -> Group:
    """Measure what this index takes of a sign-in: the first one of somebody, and later ones."""
    provider = bench.stack.enter_context(Provider())
    site = Site(bench.new_folder("people"))
    ours = site.server()
    address = f"http://127.0.0.1:{ours.port}"
    settings = {"sign_in": "local oidc:corp"}
    settings |= {f"sign_in.corp.{key}": value for key, value in provider.register(address).items()}
    site.configure(settings)
    bench.start(ours)
    bench.say("people who sign in through a provider")
    doors = [provider.add_person(f"person{number}") for number in range(_PEOPLE + 1)]
    # The first of all fetches the provider's metadata and keys.
    _share(provider, address, doors.pop())
    return Group(
        "Sign-in through an identity provider",
        [
            _row("The first sign-in, which makes the account", provider, address, doors),
            _row("A later sign-in", provider, address, doors),
        ],
        [
            f"{_PEOPLE} people, one after the other.",
            "Our share is that of both requests to this index, without what the provider took meanwhile.",
            "The provider is Canaille, over HTTP on this machine; what its connections cost counts as ours.",
        ],
    )


def _row(title: str, provider: Provider, url: str, doors: list[Callable[[], None]]) -> Row:
    times = [_share(provider, url, door) for door in doors]
    middle = median(times)
    return Row(
        title=title,
        ours=f"median {middle:.1f} ms, worst {max(times):.1f} ms",
        result=f"{middle:.1f} ms",
        target=f"less than {_SHARE_MS:.0f} ms",
        passed=middle < _SHARE_MS,
    )


def _share(provider: Provider, url: str, enter: Callable[[], None]) -> float:
    """Sign somebody in, and return our share in milliseconds."""
    enter()
    with requests.Session() as browser:
        browser.trust_env = False
        here, goal = _timed(provider, browser, f"{url}/oauth/corp/@@start")
        while not goal.startswith(url):
            goal = _redirected(browser, goal)
        there, end = _timed(provider, browser, goal)
        if end not in {"/", f"{url}/"}:
            raise BenchmarkError(f"the sign-in ended at {end}")
    return here + there


def _timed(provider: Provider, browser: requests.Session, url: str) -> tuple[float, str]:
    """Return how long a redirect took without the provider, in milliseconds, and where it leads."""
    before, began = provider.seconds, time.perf_counter()
    goal = _redirected(browser, url)
    taken = time.perf_counter() - began
    return (taken - (provider.seconds - before)) * 1000, goal


def _redirected(browser: requests.Session, url: str) -> str:
    answer = browser.get(url, allow_redirects=False, timeout=60)
    if not answer.is_redirect:
        raise BenchmarkError(f"{url.partition('?')[0]} answers {answer.status_code}, and leads nowhere")
    return answer.headers["Location"]
