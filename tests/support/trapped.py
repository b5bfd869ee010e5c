"""A site whose stores have traps, beside the same site without them."""

from pathlib import Path

from support.sites import APP, Backends, Site


def with_traps(site: Site, backends: Backends) -> tuple[Site, Path]:
    """Return the same site by another ini."""
    armed = site.folder / "armed"
    trapped = Site(site.folder, backends.variables, forked=site.forked)
    trapped.tokens = site.tokens
    trapped.ini = site.folder / "trapped.ini"
    trapped.ini.write_bytes(site.ini.read_bytes())
    trapped.configure(
        APP,
        warehouse14__files="support.killing:file_store",
        warehouse14__files__engine=backends.settings.get("warehouse14.files", "filesystem"),
        warehouse14__files__armed=armed,
        warehouse14__metadata="support.killing:units",
        warehouse14__metadata__engine=backends.settings.get("warehouse14.metadata", "sql"),
        warehouse14__metadata__armed=armed,
    )
    return trapped, armed
