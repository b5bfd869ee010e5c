"""The database of a site goes elsewhere, while its files stay where they are."""

from collections.abc import Callable

from moving.conftest import contents
from support.sites import Backends, Site


def test_a_copy_with_the_same_files_brings_all_that_is_known_and_copies_none(
    small_site: Site, new_site: Callable[..., Site]
) -> None:
    before = contents(small_site)
    files = small_site.folder / "var/files"
    same = Backends({"warehouse14.files": "filesystem", "warehouse14.files.root": str(files)})
    target = new_site("target", same)
    said = small_site.command("copy", "--to", str(target.ini))
    assert "0 files copied, 4 there already, 0 damaged" in said
    assert contents(target) == contents(small_site) == before
    assert target.damage() == []
