"""The index over HTTP: Pyramid, pure traversal, closed by default."""

import os
import sys
import tempfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.events import ContextFound, NewRequest, NewResponse
from pyramid.router import Router
from pyramid.tweens import EXCVIEW, INGRESS

from warehouse14.bootstrap import SignIns, assemble, read_secret, verify_site
from warehouse14.domain.errors import Misconfigured, Unavailable
from warehouse14.domain.services.throttle import Throttle
from warehouse14.domain.warehouse import Warehouse
from warehouse14.settings import Site, shown_settings
from warehouse14.web.assets import load_assets
from warehouse14.web.csrf import CookieBoundTokens
from warehouse14.web.headers import complete_headers
from warehouse14.web.html import FILTERS
from warehouse14.web.lists import ProjectLists
from warehouse14.web.metering import open_meter
from warehouse14.web.pages import Pages
from warehouse14.web.requests import (
    check_address,
    check_form,
    check_sender,
    check_spelling,
    check_view_name,
    settle_scheme,
)
from warehouse14.web.resources import Root
from warehouse14.web.security import CLOSED, SitePolicy

_KEY_BYTES = 32


def main(global_config: Mapping[str, str], **settings: str) -> Router:  # noqa: ARG001
    """Return the WSGI application of an ini file's ``[app:...]`` section (Paste Deploy).

    A setting that is wrong, or a store that is not as it must be, ends the
    process with status 2 and one line; a store that does not answer with
    status 1 and one line, since it may do so soon.
    """
    try:
        warehouse, site, sign_ins = assemble(settings)
        verify_site(site)
        warehouse.verify()
        app = make_app(warehouse, site, settings, sign_ins)
    except Misconfigured as error:
        sys.stderr.write(f"warehouse14: {error}\n")
        raise SystemExit(2) from error
    except Unavailable as error:
        sys.stderr.write(f"warehouse14: {error.in_full}\n")
        raise SystemExit(1) from error
    if site.temporary is not None:
        # Request bodies wait here; the servers make their files through this module.
        tempfile.tempdir = site.temporary
    sign_ins.warm_up()
    return app


def make_app(
    warehouse: Warehouse,
    site: Site,
    settings: Mapping[str, Any] | None = None,
    sign_ins: SignIns | None = None,
) -> Router:
    """Return the WSGI application over a warehouse that is at hand."""
    given = dict(settings or {})
    if site.url is not None:
        # A proxy may pass on another host than the one that the browser asked.
        given["pyramid.csrf_trusted_origins"] = urlsplit(site.url).netloc
    config = Configurator(settings=given)
    config.registry.warehouse = warehouse
    config.registry.site = site
    config.registry.sign_ins = sign_ins or SignIns()
    config.registry.shown_settings = shown_settings(site, settings or {}, os.environ)
    config.include("warehouse14.web")
    return config.make_wsgi_app()


def includeme(config: Configurator) -> None:
    """Set the application up; ``registry.warehouse``, ``registry.site`` and
    ``registry.sign_ins`` are there before."""
    config.include("pyramid_jinja2")
    config.add_jinja2_search_path("warehouse14.web:templates")
    config.set_root_factory(Root)
    config.set_security_policy(SitePolicy())
    config.set_default_permission(CLOSED)
    config.set_default_csrf_options(require_csrf=True)
    config.set_csrf_storage_policy(CookieBoundTokens())
    for first in (settle_scheme, check_address, check_form):
        config.add_subscriber(first, NewRequest)
    for then in (check_view_name, check_spelling, check_sender):
        config.add_subscriber(then, ContextFound)
    config.add_subscriber(complete_headers, NewResponse)
    config.add_tween("warehouse14.web.watching.watching", under=INGRESS, over=EXCVIEW)
    config.registry.secret = read_secret(config.registry.site)
    config.registry.journey_key = config.registry.secret or os.urandom(_KEY_BYTES)
    config.registry.meter = open_meter(config.registry.warehouse, config.registry.site)
    config.registry.throttle = Throttle(config.registry.warehouse.units, config.registry.warehouse.now)
    config.registry.assets = load_assets()
    config.action(None, _make_pages, args=(config,), order=1)
    config.scan("warehouse14.web.views")
    config.scan("warehouse14.web.errors")


def _make_pages(config: Configurator) -> None:
    templates = config.get_jinja2_environment()
    templates.filters.update(FILTERS)
    config.registry.templates = templates
    config.registry.pages = Pages(config.registry.warehouse.index, templates)
    config.registry.lists = ProjectLists(config.registry.warehouse.index, templates)
