"""One account, as the administrators of the site see it: its state, and what lets it in."""

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from warehouse14.domain.access import Permission
from warehouse14.domain.errors import NotFound, Rejected, SignInFailed
from warehouse14.domain.names import ProviderName
from warehouse14.web.html import elsewhere, go, show, words
from warehouse14.web.minting import lines
from warehouse14.web.resources.browser import AccountPlace


@view_config(context=AccountPlace, request_method="GET", permission=Permission.ADMINISTER)
def account(context: AccountPlace, request: Request) -> Response:
    """Show the account."""
    return elsewhere(request, _path(context)) or _page(context, request)


@view_config(context=AccountPlace, name="reset", request_method="POST", permission=Permission.ADMINISTER)
def reset(context: AccountPlace, request: Request) -> Response:
    """Give an account a new first password, and show it."""
    try:
        password = request.registry.warehouse.accounts.reset_password(request.identity, context.account)
    except Rejected as error:
        return _page(context, request, status=400, problem=words(error))
    return show(request, "new_password", account=context.account, password=password, is_new=False)


@view_config(context=AccountPlace, name="disable", request_method="POST", permission=Permission.ADMINISTER)
def disable(context: AccountPlace, request: Request) -> Response:
    """Disable an account: its sessions end, and its tokens count for nothing."""
    try:
        request.registry.warehouse.accounts.set_disabled(request.identity, context.account, disabled=True)
    except Rejected as error:
        return _page(context, request, status=400, problem=words(error))
    return go(request, _path(context), f"{context.account} is disabled.")


@view_config(context=AccountPlace, name="enable", request_method="POST", permission=Permission.ADMINISTER)
def enable(context: AccountPlace, request: Request) -> Response:
    """Enable an account."""
    request.registry.warehouse.accounts.set_disabled(request.identity, context.account, disabled=False)
    return go(request, _path(context), f"{context.account} is enabled.")


@view_config(context=AccountPlace, name="promote", request_method="POST", permission=Permission.ADMINISTER)
def promote(context: AccountPlace, request: Request) -> Response:
    """Make an account an administrator of the site."""
    request.registry.warehouse.accounts.set_administrator(
        request.identity, context.account, administrator=True
    )
    return go(request, _path(context), f"{context.account} is an administrator now.")


@view_config(context=AccountPlace, name="demote", request_method="POST", permission=Permission.ADMINISTER)
def demote(context: AccountPlace, request: Request) -> Response:
    """Take the rank of administrator from an account."""
    try:
        request.registry.warehouse.accounts.set_administrator(
            request.identity, context.account, administrator=False
        )
    except Rejected as error:
        return _page(context, request, status=400, problem=words(error))
    return go(request, _path(context), f"{context.account} is no administrator any more.")


@view_config(context=AccountPlace, name="join", request_method="POST", permission=Permission.ADMINISTER)
def join(context: AccountPlace, request: Request) -> Response:
    """Let somebody at an identity provider sign in to the account."""
    given = {key: request.POST.get(key, "").strip() for key in ("provider", "subject")}
    try:
        provider = _offered(request, given["provider"])
        is_new = request.registry.warehouse.arrivals.join_known(
            request.identity,
            context.account,
            provider=provider,
            issuer=request.registry.sign_ins.providers[provider].issuer(),
            subject=given["subject"],
        )
    except Rejected as error:
        # Which of the fields it is stands before the rest.
        problem = str(error)
        return _page(context, request, status=400, join_problem=problem[:1].upper() + problem[1:], **given)
    except SignInFailed as error:
        problem = f"That is another account already: {error.detail}. Part them there first."
        return _page(context, request, status=409, join_problem=problem, **given)
    done = "now signs in" if is_new else "signed in already"
    return go(request, _path(context), f"{given['subject']} {done} to the account {context.account}.")


@view_config(context=AccountPlace, name="part", request_method="POST", permission=Permission.ADMINISTER)
def part(context: AccountPlace, request: Request) -> Response:
    """Part somebody at an identity provider from the account."""
    issuer, subject = request.POST.get("issuer", ""), request.POST.get("subject", "")
    try:
        request.registry.warehouse.arrivals.part(request.identity, issuer, subject, account=context.account)
    except Rejected as error:
        return _page(context, request, status=400, problem=words(error))
    return go(request, _path(context), f"That way to sign in to {context.account} is closed.")


@view_config(context=AccountPlace, name="sessions", request_method="POST", permission=Permission.ADMINISTER)
def end_sessions(context: AccountPlace, request: Request) -> Response:
    """Sign the account out in all browsers."""
    request.registry.warehouse.sessions.end_all(request.identity, context.account)
    return go(request, _path(context), f"{context.account} is signed out in all browsers.")


@view_config(
    context=AccountPlace, name="token-revoke", request_method="POST", permission=Permission.ADMINISTER
)
def revoke(context: AccountPlace, request: Request) -> Response:
    """End a token of the account."""
    tokens, wanted = request.registry.warehouse.tokens, request.POST.get("token", "")
    if wanted not in {token.id for token in tokens.listed(request.identity, context.account)}:
        raise NotFound("token", wanted)
    tokens.revoke(request.identity, wanted)
    return go(request, _path(context), "The token is revoked. It counts for nothing from now on.")


def _page(context: AccountPlace, request: Request, *, status: int = 200, **values: str) -> Response:
    warehouse, identity, name = request.registry.warehouse, request.identity, context.account
    return show(
        request,
        "one_account",
        status=status,
        account=warehouse.accounts.get(identity, name),
        is_by_settings=name in warehouse.accounts.by_settings,
        logins=warehouse.arrivals.joined(identity, name),
        providers=request.registry.sign_ins.providers,
        sessions=warehouse.sessions.listed(identity, name),
        groups=[group for group in warehouse.groups.listed(identity) if name in group.members],
        tokens=lines(request, warehouse.tokens.listed(identity, name)),
        **{
            "problem": "",
            "join_problem": "",
            "provider": "",
            "subject": "",
            **values,
        },
    )


def _offered(request: Request, name: str) -> ProviderName:
    """Return the name of an identity provider of the site. Raises ``Rejected`` for any other."""
    if name not in request.registry.sign_ins.providers:
        raise Rejected("provider: choose one of those that are offered.", field="provider")
    return ProviderName(name)


def _path(context: AccountPlace) -> str:
    return f"/admin/accounts/{context.account}/"
