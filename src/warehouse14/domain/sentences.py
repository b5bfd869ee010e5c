"""What the entries of the journal say, in words."""

from collections.abc import Mapping

from warehouse14.domain.model import Action, Change, Role
from warehouse14.domain.names import Principal, principal_words

#: For each action its sentence. Names in braces are those of the entry, and of its detail.
SENTENCES: Mapping[Action, str] = {
    Action.PROJECT_CREATE: "{actor} created the project {project}{for_account}",
    Action.PROJECT_PUBLIC: "{actor} made {project} public",
    Action.PROJECT_PRIVATE: "{actor} made {project} private",
    Action.PROJECT_GRANT: "{actor} gave {principal} the role {role} on {project}",
    Action.PROJECT_INVITE: "{actor} invited {principal} to {project} as {role}",
    Action.PROJECT_ACCEPT: "{actor}, who was invited as {principal}, now has the role {role} on {project}",
    Action.PROJECT_REVOKE: "{actor} took the role on {project} from {principal}",
    Action.PROJECT_DELETE: "{actor} deleted the project {project}",
    Action.PROJECT_LOOK: "{actor} looked into {project} as an administrator of the site: {reason}",
    Action.GROUP_CREATE: "{actor} created the group {group}{for_account}",
    Action.GROUP_ADD: "{actor} made {account} {rank} of the group {group}",
    Action.GROUP_REMOVE: "{actor} removed {account} from the group {group}",
    Action.GROUP_DELETE: "{actor} deleted the group {group}",
    Action.GROUP_LOOK: "{actor} looked into the group {group} as an administrator of the site: {reason}",
    Action.FILE_UPLOAD: "{actor} uploaded {files} to {project}{created}",
    Action.FILE_YANK: "{actor} yanked {files} of {project}",
    Action.FILE_UNYANK: "{actor} un-yanked {files} of {project}",
    Action.FILE_DELETE: "{actor} deleted {files} of {project}",
    Action.ACCOUNT_ADD: "{actor} added the account {account}{through}",
    Action.ACCOUNT_PASSWORD: "{actor} replaced the password of {account}",
    Action.ACCOUNT_DISABLE: "{actor} disabled the account {account}",
    Action.ACCOUNT_ENABLE: "{actor} enabled the account {account}{although}",
    Action.ACCOUNT_PROMOTE: "{actor} made {account} an administrator of the site",
    Action.ACCOUNT_DEMOTE: "{actor} took the rank of administrator from {account}",
    Action.ACCOUNT_JOIN: "{actor} joined {subject} at {provider} to the account {account}{which}",
    Action.ACCOUNT_PART: "{actor} parted {subject} at {provider} from the account {account}{which}",
    Action.ACCOUNT_KEEP_OUT: "the rules for {provider} kept {account} out{which}",
    Action.TOKEN_MINT: "{actor} made the token {token} of {account}",
    Action.TOKEN_ROTATE: "{actor} put the token {token} of {account} in the place of {old}",
    Action.TOKEN_REVOKE: "{actor} revoked the token {token} of {account}",
    Action.SESSION_START: "{actor} signed in{through}{rights}",
    Action.SESSION_END: "{actor} ended {sessions} of {account}",
}

_UNKNOWN = "{actor} did {action}"
#: What stands for what an entry does not say.
_NOTHING = "-"
_MOST = 250
_MOST_FILES = 3


def sentence(change: Change) -> str:
    """Return what an entry says: one printable line of bounded length."""
    known = change.action in SENTENCES
    template = SENTENCES[Action(change.action)] if known else _UNKNOWN
    return template.format_map(_words(change))


def printable(text: str, *, most: int = _MOST) -> str:
    """Return ``text`` with everything escaped that cannot be printed, and cut if it is long."""
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in shown
    )


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return _NOTHING


def _words(change: Change) -> _Words:
    """Return what may stand in a sentence: never more than is known of the entry."""
    detail = {key: printable(value) for key, value in change.detail.items()}
    words = _Words(detail)
    words["actor"] = printable(change.actor) or _NOTHING
    words["action"] = printable(change.action)
    words["project"] = printable(change.project or _NOTHING)
    words["account"] = printable(change.account or _NOTHING)
    words["group"] = printable(change.group or _NOTHING)
    words["rank"] = "an admin" if detail.get("role") == Role.ADMIN else "a member"
    words["token"] = printable(change.token or _NOTHING)
    words["principal"] = principal_words(Principal(detail.get("principal", _NOTHING)))
    words["files"] = _files(change.detail.get("files", _NOTHING))
    words["created"] = ", and created it" if change.detail.get("project") == "created" else ""
    words["through"] = f" through {detail['provider']}" if "provider" in detail else ""
    words["for_account"] = f" for {words['account']}" if change.account not in {None, change.actor} else ""
    out = detail.get("kept_out_by")
    words["although"] = f", which the rules for {out} kept out" if out else ""
    words["rights"] = _rights(change.detail)
    words["which"] = f", which{words['rights'].removeprefix(' and')}" if words["rights"] else ""
    words["sessions"] = _counted(detail.get("sessions", "1"), "session")
    return words


def _files(text: str) -> str:
    """Return the names on the lines of ``text``, or the first of them and how many more there are."""
    names = text.split("\n")
    shown = names if len(names) <= _MOST_FILES else names[: _MOST_FILES - 1]
    listed = ", ".join(map(printable, shown))
    return listed if shown is names else f"{listed} and {len(names) - len(shown)} more"


def _rights(detail: Mapping[str, str]) -> str:
    """Return what a sign-in changed in somebody's groups."""
    said = (("gained", " and is now in {}"), ("lost", " and is no longer in {}"))
    return "".join(text.format(_files(detail[key])) for key, text in said if key in detail)


def _counted(count: str, noun: str) -> str:
    return f"a {noun}" if count == "1" else f"{count} {noun}s"
