"""Roles as they may be there from before."""

from warehouse14.domain.model import Role
from warehouse14.domain.names import Principal, ProjectName
from warehouse14.domain.ports import Units
from warehouse14.testing.samples import sample_change


def grant_as_before(units: Units, name: ProjectName, who: str) -> None:
    """Make somebody a member whom no rule of today lets in."""
    with units.write() as unit:
        project = unit.projects.get(name)
        assert project is not None
        unit.projects.grant(name, Principal(who), Role.MEMBER, expected=project.serial)
        unit.journal.append(sample_change(project=name))
