"""What is said of a setting that is wrong, misspelt or misplaced; and what is left alone."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from warehouse14.bootstrap import read_secret
from warehouse14.settings import (
    Section,
    SettingError,
    read_site,
    section_of,
    settings_of_variables,
    shown_settings,
)


def _is_refused(outcome: Any, *words: str) -> None:
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("warehouse14: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err


def _with(site: Any, *lines: str) -> Any:
    """Return what a listing says with more lines in the section of the application."""
    site.set("[server:main]", "\n".join([*lines, "[server:main]"]))
    return site("account", "list")


@pytest.mark.parametrize("key", ["METADATA", "FILES"])
@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "os:getcwd",
        "os:sep",
        "os:no_such_name",
        "sys:exit",
        "builtins:repr",
        "no.such.module:factory",
        ":system",
        "..os:system",
        "os:",
        "os: system",
        "tape",
    ],
)
def test_a_store_that_is_none_is_one_line_and_status_2(
    site: Any, monkeypatch: pytest.MonkeyPatch, key: str, name: str
) -> None:
    monkeypatch.setenv(f"WAREHOUSE14_{key}", name)
    _is_refused(site("account", "list"), f"warehouse14.{key.lower()} = '{name}'")
    _is_refused(site("init"), f"warehouse14.{key.lower()} = '{name}'")


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("max_file_bytes = 5", "warehouse14.max_file_bytes"),
        ("max-file-bytes = 5", "warehouse14.max_file_bytes"),
        ("url = https://example.com", "warehouse14.url"),
        ("metadata.busy_seconds = 5", "warehouse14.metadata.busy_seconds"),
        ("files.root = /srv", "warehouse14.files.root"),
        ("warehouse14_url = https://example.com", "warehouse14.url"),
        ("WAREHOUSE14_METADATA_URL = sqlite:////srv", "warehouse14.metadata.url"),
        ("Warehouse14.url = https://example.com", "warehouse14.url"),
        ("warehous14.url = https://example.com", "warehouse14.url"),
        ("warehouse.url = https://example.com", "warehouse14.url"),
        ("wharehouse14.max_file_byte = 5", "warehouse14.max_file_bytes"),
        ("warehouse14.max_file_byte = 5", "warehouse14.max_file_bytes"),
        ("warehouse14.metadata.busy_second = 5", "warehouse14.metadata.busy_seconds"),
        ("warehouse14.file.root = /srv", "warehouse14.files.root"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_right_one(site: Any, line: str, right: str) -> None:
    wrong = line.partition(" ")[0]
    _is_refused(_with(site, line), f"unknown setting: {wrong} (did you mean {right}?)")


def test_a_key_that_is_like_none_is_refused_without_a_guess(site: Any) -> None:
    outcome = _with(site, "warehouse14.colour = green", "warehous14.database = x")
    _is_refused(outcome, "unknown setting: warehous14.database, warehouse14.colour\n")


def test_a_key_of_another_store_is_refused_without_a_guess(site: Any) -> None:
    site.set("warehouse14.files = filesystem", "warehouse14.files = memory")
    _is_refused(site("account", "list"), "unknown setting: warehouse14.files.root\n")


@pytest.mark.parametrize("wrong", ["metadata", "warehous14.metadata", "warehouse14.metadat"])
def test_a_key_that_is_missing_is_found_under_its_wrong_name(site: Any, wrong: str) -> None:
    site.set("warehouse14.metadata = sql", f"{wrong} = sql")
    _is_refused(
        site("account", "list"),
        f"warehouse14.metadata is not set; unknown setting: {wrong} (did you mean warehouse14.metadata?)",
    )


def test_keys_that_others_read_are_left_alone(site: Any) -> None:
    site.set(
        "[app:main]", "[DEFAULT]\nurl = nobody's\ntmp = %(here)s\nwarehous14.files = nobody's\n\n[app:main]"
    )
    outcome = _with(
        site,
        "pyramid.reload_templates = true",
        "pyramid.debug_all = false",
        "pyramid.includes = pyramid_jinja2",
        "jinja2.trim_blocks = true",
        "debugtoolbar.hosts = 127.0.0.1",
        "retry.attempts = 3",
        "tm.manager_hook = pyramid_tm.explicit_manager",
        "sqlalchemy.url = sqlite://",
        "session.secret = x",
        "cache.regions = short",
        "debug_templates = true",
        "default_locale_name = en",
        "csrf_trusted_origins = example.com",
        "full_stack = true",
        "set debug = false",
        "get there = here",
        "storehouse.url = x",
        "warehouse_keeper = ada",
        "packages.url = x",
        "maximum = 5",
    )
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize("name", ["TEMPORARY", "TOKEN", "COLOUR"])
def test_a_variable_that_is_no_key_is_left_alone(
    site: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"WAREHOUSE14_{name}", "somebody else's")
    assert site("account", "list").status == 0


def test_a_variable_for_a_setting_that_the_site_has_not_is_named(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE14_METADATA_PASSWORD_FILE", "/dev/null")
    said = "unknown setting: warehouse14.metadata.password_file, set by WAREHOUSE14_METADATA_PASSWORD_FILE"
    _is_refused(site("account", "list"), said)


_NUMBERS = {
    "max_file_bytes": (1, 2**50),
    "page_cache_bytes": (0, 2**40),
    "session_idle_minutes": (1, 5_256_000),
    "session_hours": (1, 87_600),
    "reverify_hours": (0, 87_600),
    "metadata.busy_seconds": (0, 3600),
}


@pytest.mark.parametrize("key", _NUMBERS)
@pytest.mark.parametrize(
    "value", ["-1", "9" * 17, "9" * 22, "1e3", "1.5", "nan", "inf", "many", "1_0", "\u0663", "+5"]
)
def test_a_number_that_cannot_be_is_one_line_that_says_what_can(site: Any, key: str, value: str) -> None:
    least, most = _NUMBERS[key]
    site.set("warehouse14.max_file_bytes = 5368709119", "")
    outcome = _with(site, f"warehouse14.{key} = {value}")
    _is_refused(outcome, f"warehouse14.{key} = ", f"is not a whole number from {least} to {most}")


@pytest.mark.parametrize("which", [0, 1])
def test_the_least_and_the_largest_numbers_work(site: Any, which: int) -> None:
    site.set("warehouse14.max_file_bytes = 5368709119", "")
    lines = [f"warehouse14.{key} = {bounds[which]}" for key, bounds in _NUMBERS.items()]
    assert _with(site, *lines).status == 0
    assert site.done("account", "add", "bob").out == "added the account bob\n"


def test_a_long_value_is_not_repeated_in_full(site: Any) -> None:
    outcome = _with(site, f"warehouse14.session_hours = {'9' * 5000}")
    _is_refused(outcome, "warehouse14.session_hours")
    assert len(outcome.err) < 200


def test_who_waits_for_no_other_writer_is_told_what_the_database_says(site: Any) -> None:
    site.set("[server:main]", "warehouse14.metadata.busy_seconds = 0\n\n[server:main]")
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process = site.start("account", "add", "bob")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.splitlines() == [
        "warehouse14: The database does not answer. Try again. (database is locked)",
    ]


def _shown(key: str, value: str) -> str:
    name = f"warehouse14.{key}"
    return shown_settings(read_site(section_of({}, {})), {name: value}, {})[name]


@pytest.mark.parametrize(
    "key",
    [
        "files.secret_key",
        "files.client_secret_value",
        "files.password",
        "files.db_passwd_2",
        "files.passphrase",
        "files.Token_Of_Mine",
        "files.credentials",
        "files.private_pem",
        "metadata.dsn",
        "files.access_key",
        "files.apikey",
    ],
)
def test_a_setting_whose_name_speaks_of_a_secret_is_hidden(key: str) -> None:
    assert _shown(key, "swordfish") == "(hidden)"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("secret_file", "/srv/var/secret"),
        ("files.keyspace", "index"),
        ("files.password", ""),
        ("url", "https://index.example/a"),
        ("metadata.url", "sqlite:////srv/var/warehouse14.sqlite?mode=rw&timeout=5"),
        ("image_hosts", "img.shields.io, badges.example:8443"),
    ],
)
def test_a_setting_without_a_secret_is_shown_as_it_is(key: str, value: str) -> None:
    assert _shown(key, value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("postgresql://ada:swordfish@db.example/index", "postgresql://ada:(hidden)@db.example/index"),
        ("redis://:swordfish@db.example", "redis://:(hidden)@db.example"),
        ("db://ada:sword@fish@db.example/a", "db://ada:(hidden)@db.example/a"),
        ("db://ada@corp:swordfish@db.example/a", "db://ada@corp:(hidden)@db.example/a"),
        ("db://ada:sw@rd/fish@db.example/a", "db://ada:(hidden)@db.example/a"),
        ("AccountName=ada;AccountKey=swordfish==;Timeout=5", "AccountName=ada;AccountKey=(hidden);Timeout=5"),
        ("host=db password='sword fish' port=5", "host=db password=(hidden) port=5"),
        ("https://store.example/x?sv=2&sig=swordfish", "https://store.example/x?sv=2&sig=(hidden)"),
        ("db://h/?odbc_connect=UID%3Dada%3BPWD%3Dswordfish", "db://h/?odbc_connect=(hidden)"),
        ("db://ada:sword/fish@db.example", "db://ada:(hidden)@db.example"),
        ("https://swordfish@store.example/x", "https://(hidden)@store.example/x"),
        ("https://swordfish:@store.example/x", "https://(hidden)@store.example/x"),
        ("db://h/i?user=ada&password=sword@fish#x", "db://h/i?user=ada&password=(hidden)#x"),
        ("db://h:5432/i?sslkey=swordfish&mode=rw", "db://h:5432/i?sslkey=(hidden)&mode=rw"),
        ("s3://b?Auth_Token=swordfish", "s3://b?Auth_Token=(hidden)"),
        ("https://a:swordfish@b, https://swordfish@c", "https://a:(hidden)@b, https://(hidden)@c"),
        ("host=db password=swordfish dbname=index", "host=db password=(hidden) dbname=index"),
    ],
)
def test_of_an_address_that_holds_a_secret_only_the_rest_is_shown(value: str, shown: str) -> None:
    assert _shown("metadata.url", value) == shown


LONG = "a secret of more than thirty-two characters"


def test_the_secret_may_be_a_setting_which_nobody_is_shown() -> None:
    site = read_site(Section("warehouse14.", {"secret": LONG}))
    assert read_secret(site) == LONG.encode()
    assert LONG not in repr(site)
    for settings, variables in (
        ({"warehouse14.secret": LONG}, {}),
        ({}, {"WAREHOUSE14_SECRET": LONG}),
        ({}, {}),
    ):
        assert LONG not in str(shown_settings(site, settings, variables))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"secret": "too short to be one"}, "warehouse14.secret has less than 32 characters"),
        ({"secret": LONG, "secret_file": "/srv/secret"}, "are both set"),
    ],
)
def test_a_secret_that_is_none_is_refused(values: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=told) as refused:
        read_site(Section("warehouse14.", values))
    assert values["secret"] not in str(refused.value)


def test_a_site_without_an_ini_has_every_setting_in_a_variable() -> None:
    variables = {
        "WAREHOUSE14_METADATA": "sql",
        "WAREHOUSE14_METADATA_URL": "sqlite:////srv/index",
        "WAREHOUSE14_FILES_PATH_STYLE": "true",
        "WAREHOUSE14_METRICS_TOKEN_ENV": "SCRAPED_BY",
        "WAREHOUSE14_SIGN_IN": "oidc:corp",
        "WAREHOUSE14_SIGN_IN_CORP_CLIENT_ID": "us",
        "WAREHOUSE14_MAX_FILE_BYTES": "5",
        "WAREHOUSE14_INI": "/srv/site.ini",
        "WAREHOUSE14_TOKEN": "somebody's",
        "PATH": "/bin",
    }
    assert settings_of_variables(variables) == {
        "warehouse14.metadata": "sql",
        "warehouse14.metadata.url": "sqlite:////srv/index",
        "warehouse14.files.path_style": "true",
        "warehouse14.metrics.token_env": "SCRAPED_BY",
        "warehouse14.sign_in": "oidc:corp",
        "warehouse14.sign_in.corp.client_id": "us",
        "warehouse14.max_file_bytes": "5",
    }


def test_where_variables_are_all_that_there_is_a_misspelt_one_is_refused_with_the_right_one() -> None:
    settings = settings_of_variables({"WAREHOUSE14_CREATOR": "account:ada"})
    section = section_of(settings, {})
    read_site(section)
    told = r"unknown setting: warehouse14.creator \(did you mean warehouse14.creators\?\)"
    with pytest.raises(SettingError, match=told):
        section.finish()


@pytest.mark.parametrize(
    ("files", "account", "told"),
    [
        ("filesystem", "ada", "warehouse14.incoming_account is set, but the file store is none"),
        ("s3", "a b", "warehouse14.incoming_account: 'a b' is not an account name"),
    ],
)
def test_an_account_that_cannot_be_for_files_of_others_is_one_line_and_status_2(
    site: Any, files: str, account: str, told: str
) -> None:
    root = "warehouse14.files.root = %(here)s/var/files"
    site.set("warehouse14.files = filesystem", f"warehouse14.files = {files}")
    if files == "s3":
        site.set(root, "warehouse14.files.bucket = nobody-asks")
    _is_refused(_with(site, f"warehouse14.incoming_account = {account}"), told)


def test_a_site_without_such_an_account_takes_no_files_of_others(site: Any) -> None:
    _is_refused(site("incoming"), "the file store of this site is none that others put files into")
