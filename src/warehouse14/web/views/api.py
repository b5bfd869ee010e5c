"""The API: what programs with a token ask of a project and change in it."""

from collections.abc import Callable, Mapping
from functools import partial

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Identity, Permission, reasons
from warehouse14.domain.errors import Rejected
from warehouse14.domain.journallines import iso
from warehouse14.domain.model import File, Project, Release, Role
from warehouse14.domain.names import Principal, granted_principal, group_provider, principal
from warehouse14.web.fields import given_fields
from warehouse14.web.resources.clients import ApiFile, ApiProject, ApiRelease
from warehouse14.web.views.journal import json_stream, sought
from warehouse14.web.views.people import told_roles

Target = ApiRelease | ApiFile

#: A view that changes something. The credentials that come with the request stand for a CSRF token.
change = partial(view_config, request_method="POST", require_csrf=False)


@view_config(context=ApiProject, request_method="GET", permission=Permission.READ)
def project(context: ApiProject, request: Request) -> Response:
    """Say what there is to know of a project."""
    found = context.project
    return answer(
        name=found.name,
        display_name=found.display_name,
        public=found.public,
        role=_role(request.identity, found),
        releases=[_release(each) for each in request.registry.warehouse.catalogue.releases(found)],
    )


@change(context=ApiRelease, name="yank", permission=Permission.YANK)
@change(context=ApiFile, name="yank", permission=Permission.YANK)
def yank(context: Target, request: Request) -> Response:
    """Yank a release or a file (PEP 592)."""
    reason, files = given_fields(request, "reason")["reason"], request.registry.warehouse.files
    return answer(changed=_do(context, request, files.yank, files.yank_release, reason=reason))


@change(context=ApiRelease, name="unyank", permission=Permission.YANK)
@change(context=ApiFile, name="unyank", permission=Permission.YANK)
def unyank(context: Target, request: Request) -> Response:
    """Take the yank of a release or a file back."""
    given_fields(request)
    files = request.registry.warehouse.files
    return answer(changed=_do(context, request, files.unyank, files.unyank_release))


@change(context=ApiRelease, name="delete", permission=Permission.DELETE)
@change(context=ApiFile, name="delete", permission=Permission.DELETE)
def delete(context: Target, request: Request) -> Response:
    """Delete a release or a file, if that is confirmed."""
    _require_confirmed(request, "a file" if isinstance(context, ApiFile) else "a release")
    files = request.registry.warehouse.files
    _do(context, request, files.delete, files.delete_release)
    return answer(changed=True)


@change(context=ApiProject, name="delete", permission=Permission.DELETE)
def delete_project(context: ApiProject, request: Request) -> Response:
    """Delete a project, if that is confirmed."""
    _require_confirmed(request, "a project")
    request.registry.warehouse.projects.delete(request.identity, context.project.name)
    return answer(changed=True)


@change(context=ApiProject, name="public", permission=Permission.MANAGE)
def make_public(context: ApiProject, request: Request) -> Response:
    """Open a project to every signed-in account."""
    return _set_public(context, request, public=True)


@change(context=ApiProject, name="private", permission=Permission.MANAGE)
def make_private(context: ApiProject, request: Request) -> Response:
    """Close a project to all who have no role on it."""
    return _set_public(context, request, public=False)


@view_config(context=ApiProject, name="roles", request_method="GET", permission=Permission.READ)
def roles(context: ApiProject, request: Request) -> Response:
    """List who has a role, as far as the caller is told on the page of people."""
    manages = bool(request.has_permission(Permission.MANAGE, context))
    told = told_roles(request.identity, context.project, manages=manages)
    return answer(roles=[{"who": who, "role": role} for who, role in sorted(told.items())])


@change(context=ApiProject, name="grant", permission=Permission.MANAGE)
def grant(context: ApiProject, request: Request) -> Response:
    """Give somebody a role, or another one."""
    given = given_fields(request, "who", "role", exact=True)
    role = given["role"].strip()
    if role not in set(Role):
        raise Rejected("role: choose member or admin.", field="role")
    who = principal(_named(given["who"]), field="who")
    granted = request.registry.warehouse.projects.grant(
        request.identity, context.project.name, who, Role(role)
    )
    return answer(changed=granted.is_new, who=granted.who, role=role)


@change(context=ApiProject, name="revoke", permission=Permission.MANAGE)
def revoke(context: ApiProject, request: Request) -> Response:
    """Take somebody's role away."""
    named = _named(given_fields(request, "who", exact=True)["who"])
    who = granted_principal(named, context.project.grants, field="who")
    request.registry.warehouse.projects.revoke(request.identity, context.project.name, who)
    return answer(changed=True)


@view_config(context=ApiProject, name="journal", request_method="GET", permission=Permission.MANAGE)
def journal(context: ApiProject, request: Request) -> Response:
    """Send what happened to a project, as JSON Lines."""
    found = request.registry.warehouse.journal.of_project(
        request.identity, context.project.name, sought(request)
    )
    response = json_stream(found)
    response.headers["Cache-Control"] = "no-store"
    return response


def answer(**values: object) -> Response:
    """Return ``values`` as a JSON object."""
    return Response(json_body=values, content_type="application/json", cache_control="no-store")


def _named(given: str) -> str:
    """Return whom a field names, without spaces at its ends. Those after a provider's name for a group are
    its own: without them it may be another."""
    named = given.lstrip()
    return named if group_provider(Principal(named)) else named.rstrip()


def _role(identity: Identity, project: Project) -> Role | None:
    """Return the strongest role that somebody has; that it is public gives none."""
    held = (reason.role for reason in reasons(identity, project) if reason.through in project.grants)
    return next(held, None)


def _release(release: Release) -> Mapping[str, object]:
    files = [_file(file) for file in release.files]
    return {"version": str(release.version), "yanked": release.yanked, "files": files}


def _file(file: File) -> Mapping[str, object]:
    return {
        "filename": file.filename,
        "size": file.size,
        "sha256": file.sha256,
        "uploaded_at": iso(file.uploaded_at),
        "yanked": file.yank is not None,
        "yank_reason": None if file.yank is None else file.yank.reason,
    }


def _do(
    context: Target,
    request: Request,
    to_file: Callable[..., bool | None],
    to_release: Callable[..., bool | None],
    **more: str,
) -> bool | None:
    """Do what is to be done to the file or to the release, and return whether that changed anything."""
    if isinstance(context, ApiFile):
        return to_file(request.identity, context.project.name, context.file.filename, **more)
    return to_release(request.identity, context.project.name, str(context.version), **more)


def _require_confirmed(request: Request, what: str) -> None:
    """Raise ``Rejected`` unless the request says that it is meant, as the command line asks for ``--yes``."""
    if given_fields(request, "confirm")["confirm"] != "yes":
        raise Rejected(
            f"confirm: deleting {what} cannot be undone: send confirm=yes to do it.", field="confirm"
        )


def _set_public(context: ApiProject, request: Request, *, public: bool) -> Response:
    given_fields(request)
    projects = request.registry.warehouse.projects
    return answer(changed=projects.set_public(request.identity, context.project.name, public=public))
