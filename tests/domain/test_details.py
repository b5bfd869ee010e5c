"""What core metadata says to people; whatever stands in them, reading them is no error."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse14.domain.details import Dependency, Details, Link, Person, read_details
from warehouse14.domain.names import ProjectName


def details(*fields: str, body: str = "") -> Details:
    """Return what fields and a description behind them say."""
    return read_details(
        "".join(f"{field}\n" for field in ("Metadata-Version: 2.4", *fields, "", body)).encode()
    )


def links(*fields: str) -> list[tuple[str, str]]:
    return [(link.label, link.url) for link in details(*fields).links]


def extras(*requirements: str) -> dict[str, list[str]]:
    """Return the names of what is required, by extra."""
    found = details(*(f"Requires-Dist: {requirement}" for requirement in requirements)).dependencies
    return {extra: [dependency.name for dependency in found[extra]] for extra in found}


def test_the_fields_that_a_page_shows_are_read() -> None:
    found = details(
        "Name: demo",
        "Version: 1.0",
        "Summary: A demonstration",
        "Description-Content-Type: text/markdown; charset=UTF-8; variant=GFM",
        "License-Expression: MIT OR Apache-2.0",
        "Keywords: one, two words,,three , one",
        "Author: Ada",
        "Author-email: ada@a.example",
        "Maintainer-email: Bob B. <bob@b.example>",
        "Project-URL: Homepage, https://a.example/",
        "Requires-Dist: other>=1",
        "Classifier: License :: OSI Approved",
        "Platform: any",
        body="# Demo\n\nWords: more\n",
    )
    assert found == Details(
        summary="A demonstration",
        description="# Demo\n\nWords: more\n\n",
        content_type="text/markdown; charset=UTF-8; variant=GFM",
        license="MIT OR Apache-2.0",
        keywords=("one", "two words", "three"),
        authors=(Person("Ada", "ada@a.example"),),
        maintainers=(Person("Bob B.", "bob@b.example"),),
        links=(Link("Homepage", "https://a.example/"),),
        dependencies={"": (Dependency(ProjectName("other"), "other", ">=1"),)},
        classifiers={"License": ("OSI Approved",)},
    )


def test_what_is_not_said_is_empty() -> None:
    assert read_details(b"") == Details()
    assert read_details(b"Metadata-Version: 1.0\nName: demo\nVersion: 1\n") == Details()


# -- texts --------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_description_stands_behind_the_fields_or_is_one_of_them(newline: str) -> None:
    for text in (
        "Summary: s\n\nfirst\n\n  second\n",
        "\nfirst\n\n  second\n",
        "Description: first\n        \n          second\n        \nSummary: s\n",
        "Description: first\n       |\n       |  second\n       |\n",
    ):
        found = read_details(text.replace("\n", newline).encode())
        assert found.description == "first\n\n  second\n"


def test_a_description_in_a_field_keeps_what_is_no_usual_indentation() -> None:
    assert details("Description: first\n  second").description == "first\n  second"
    assert details("Description: only").description == "only"


def test_a_description_behind_the_fields_is_the_one_that_counts() -> None:
    assert details("Description: old", body="new").description == "new\n"
    assert details("Description: old", body=" \n").description == "old"


def test_a_description_is_never_taken_apart_as_a_mail() -> None:
    for kind in ("multipart/mixed; boundary=x", "message/rfc822", "message/external-body", "text/html"):
        found = details(
            f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", body="--x\n\nYQ==\n--x--"
        )
        assert found.description == "--x\n\nYQ==\n--x--\n"


def test_words_in_other_scripts_are_read_as_utf_8() -> None:
    found = details(
        "Summary: über 東京", "Author-email: Zoë Ö. <z@a.example>", "Keywords: é,\U0001f600", body="ñ"
    )
    assert found.summary == "über 東京"
    assert found.authors == (Person("Zoë Ö.", "z@a.example"),)
    assert found.keywords == ("é", "\U0001f600")
    assert found.description == "ñ\n"


def test_bytes_that_are_no_utf_8_are_shown_as_such() -> None:
    found = read_details(b"Summary: caf\xe9\nAuthor: \xff\xfe\nKeywords: a\xe9,b\n\nd\xe9scription\n")
    assert found.summary == "caf\ufffd"
    assert found.authors == (Person("\ufffd\ufffd", ""),)
    assert found.keywords == ("a\ufffd", "b")
    assert found.description == "d\ufffdscription\n"


def test_encoded_words_are_not_decoded() -> None:
    assert details("Summary: =?utf-8?q?caf=C3=A9?=").summary == "=?utf-8?q?caf=C3=A9?="


def test_a_field_is_shown_as_one_line() -> None:
    found = details(
        "Summary: one\n  two\n\tthree", "Keywords: a\n b,c", "Author: Ada\n  L.", "License: MIT\n x"
    )
    assert found.summary == "one two three"
    assert found.keywords == ("a b", "c")
    assert found.authors == (Person("Ada L.", ""),)
    assert found.license == "MIT"


def test_the_placeholder_of_older_tools_says_nothing() -> None:
    fields = (
        "Summary",
        "Home-page",
        "Download-URL",
        "Author",
        "Author-email",
        "License",
        "Description",
        "Keywords",
    )
    assert details(*(f"{field}: UNKNOWN" for field in fields)) == Details()


def test_a_licence_is_the_expression_or_the_first_line_of_the_older_field() -> None:
    assert details("License-Expression: MIT", "License: the MIT one").license == "MIT"
    assert details("License: \n  Permission is hereby\n  granted").license == "Permission is hereby"
    assert details("License: " + "x" * 500).license == "x" * 200
    assert details("License:").license == ""


def test_without_either_the_classifiers_say_the_licence() -> None:
    mit, apache = (
        "License :: OSI Approved :: MIT License",
        "License :: OSI Approved :: Apache Software License",
    )
    assert details(f"Classifier: {mit}").license == "MIT License"
    assert details(f"Classifier: {mit}", f"Classifier: {apache}", f"Classifier: {mit}").license == (
        "MIT License, Apache Software License"
    )
    assert details("License: BSD", f"Classifier: {mit}").license == "BSD"
    assert details("Classifier: License :: OSI Approved").license == ""


# -- people -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "email", "people"),
    [
        ("Ada", "", [("Ada", "")]),
        ("", "ada@a.example", [("", "ada@a.example")]),
        ("", "<ada@a.example>", [("", "ada@a.example")]),
        ("Ada", "ada@a.example", [("Ada", "ada@a.example")]),
        ("", "Ada <ada@a.example>", [("Ada", "ada@a.example")]),
        ("Ada", "Ada <ada@a.example>", [("Ada", "ada@a.example")]),
        ("Bob", "Ada <ada@a.example>", [("Bob", ""), ("Ada", "ada@a.example")]),
        (
            "",
            '"Lovelace, Ada" <ada@a.example>,b@b.example',
            [("Lovelace, Ada", "ada@a.example"), ("", "b@b.example")],
        ),
        ("", "Ada <ada@a.example>, Bob <b@b.example>", [("Ada", "ada@a.example"), ("Bob", "b@b.example")]),
        (
            "Ada, Bob",
            "a@a.example, b@b.example",
            [("Ada, Bob", ""), ("", "a@a.example"), ("", "b@b.example")],
        ),
        ("Bob", "Ada", [("Bob", ""), ("Ada", "")]),
        ("", "Ada <a@a.example>, Ada <a@a.example>", [("Ada", "a@a.example")]),
        ("", "ada at a.example", [("ada at a.example", "")]),
        ("", ", ,, <>, <x>", []),
        ("", '"Ada <ada@a.example>', [("", "ada@a.example")]),
        ("", "Ada <ada@a.example", [("Ada", "")]),
        ("  ", " ", []),
    ],
)
def test_authors_and_maintainers_are_people(name: str, email: str, people: list[tuple[str, str]]) -> None:
    found = details(
        f"Author: {name}", f"Author-email: {email}", f"Maintainer: {name}", f"Maintainer-email: {email}"
    )
    assert [(person.name, person.email) for person in found.authors] == people
    assert found.maintainers == found.authors


# -- links --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        *((raw, "Homepage") for raw in ("homepage", "Home-Page", "HOME PAGE", "home_page")),
        *((raw, "Source") for raw in ("Source", "Repository", "Source Code", "source-code", "GitHub")),
        *((raw, "Download") for raw in ("Download", "download")),
        *(
            (raw, "Changelog")
            for raw in ("Changelog", "Change Log", "Changes", "What's New", "whatsnew", "History")
        ),
        *((raw, "Release notes") for raw in ("Release Notes", "releasenotes")),
        *((raw, "Documentation") for raw in ("Documentation", "Docs", "docs")),
        *((raw, "Issues") for raw in ("Issues", "Bugs", "Issue", "Tracker", "Issue Tracker", "Bug-Tracker")),
        *((raw, "Funding") for raw in ("Funding", "Sponsor", "Donate", "Donation")),
        *((raw, raw) for raw in ("Chat", "Documentation (old)", "Sources", "Источник", "!")),
    ],
)
def test_a_well_known_link_has_the_same_label_whoever_wrote_it(raw: str, shown: str) -> None:
    """PEP 753."""
    assert links(f"Project-URL: {raw}, https://a.example/") == [(shown, "https://a.example/")]


def test_an_older_field_counts_where_no_newer_one_says_the_same() -> None:
    old = ("Home-page: https://old.example/", "Download-URL: https://old.example/get")
    assert links(*old) == [("Homepage", "https://old.example/"), ("Download", "https://old.example/get")]
    assert links(*old, "Project-URL: home page, https://new.example/") == [
        ("Homepage", "https://new.example/"),
        ("Download", "https://old.example/get"),
    ]


def test_a_label_that_occurs_twice_takes_no_link_away() -> None:
    assert links("Project-URL: Docs, https://a.example/", "Project-URL: Docs, https://b.example/") == [
        ("Documentation", "https://a.example/"),
        ("Documentation", "https://b.example/"),
    ]
    assert links(
        "Project-URL: Docs, https://a.example/", "Project-URL: Documentation, https://a.example/"
    ) == [("Documentation", "https://a.example/")]


def test_a_link_keeps_its_commas_and_one_without_an_address_is_none() -> None:
    assert links(
        "Project-URL: A, https://a.example/?b=c,d ", "Project-URL: B,", "Project-URL: https://c.example/"
    ) == [("A", "https://a.example/?b=c,d")]
    assert links("Project-URL: , https://a.example/") == [("https://a.example/", "https://a.example/")]
    assert links("Project-URL: A, https://a.example/" + "x" * 3000) == []


# -- dependencies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "project", "name", "rest"),
    [
        ("other", "other", "other", ""),
        ("Other.Thing", "other-thing", "Other.Thing", ""),
        (" other >= 1, < 2 ", "other", "other", ">= 1, < 2"),
        ("other (>=1)", "other", "other", "(>=1)"),
        ("other[a,b]>=1; python_version < '3.9'", "other", "other", "[a,b]>=1; python_version < '3.9'"),
        ("other @ https://a.example/x.whl", "other", "other", "@ https://a.example/x.whl"),
    ],
)
def test_a_requirement_is_a_project_and_the_rest(
    requirement: str, project: str, name: str, rest: str
) -> None:
    found = details(f"Requires-Dist: {requirement}").dependencies
    assert found == {"": (Dependency(ProjectName(project), name, rest),)}


@pytest.mark.parametrize(
    "requirement",
    [
        "other >=",
        "-other",
        "other; x == 'y'",
        "other == 1.x",
        "!",
        "ö",
        "x" * 201,
        "other; " + "(" * 200,
        "a" * 500,
    ],
)
def test_a_requirement_that_is_none_is_shown_as_it_is(requirement: str) -> None:
    assert details(f"Requires-Dist: {requirement}").dependencies == {"": (Dependency(None, requirement, ""),)}


@pytest.mark.parametrize(
    "marker",
    [
        "extra == 'test'",
        'extra == "test"',
        "extra=='test'",
        "'test' == extra",
        '"test"==extra',
        "(extra == 'test')",
        "extra == 'TEST'",
        "python_version >= '3.9' and extra == 'test'",
        "extra == 'test' and python_version >= '3.9'",
        "(python_version < '3' or os_name == 'nt') and (extra == 'test')",
        "sys_platform == 'extra' and 'test' == extra",
        "extra == 'test' and extra != 'none'",
        "extra == 'test' or extra == 'Test'",
    ],
)
def test_an_extra_is_found_however_its_marker_is_spelled(marker: str) -> None:
    assert extras(
        f"other ; {marker}", f"third[x]>=1;{marker}", f"f @ https://a.example/f.whl ; {marker}"
    ) == {"test": ["other", "third", "f"]}


def test_extras_are_one_however_their_names_are_spelled() -> None:
    """PEP 685."""
    assert extras("a; extra == 'dev_tools'", "b; extra == 'Dev.Tools'", "c; extra == 'dev-tools'") == {
        "dev-tools": ["a", "b", "c"]
    }


def test_a_requirement_of_two_extras_stands_below_both() -> None:
    assert extras("a; extra == 'x' or 'y' == extra", "b") == {"": ["b"], "x": ["a"], "y": ["a"]}


@pytest.mark.parametrize(
    "marker",
    [
        "python_version < '3.9'",
        "extra != 'test'",
        "sys_platform == \"extra == 'test'\"",
        "'extra' == platform_machine",
        "os_name == 'extra'",
    ],
)
def test_a_marker_that_names_no_extra_belongs_to_none(marker: str) -> None:
    assert extras(f"other; {marker}") == {"": ["other"]}


def test_a_requirement_that_is_malformed_or_long_stays_below_its_extra() -> None:
    assert extras("other >=; extra == 'test'") == {"test": ["other >=; extra == 'test'"]}
    text = f"other @ https://a.example/{'x' * 300} ; extra == 'test'"
    assert extras(text) == {"test": [text]}


def test_extras_are_sorted_behind_what_always_holds() -> None:
    found = extras("d; extra == 'z'", "c; extra == 'a'", "b", "a")
    assert list(found.items()) == [("", ["b", "a"]), ("a", ["c"]), ("z", ["d"])]


# -- classifiers --------------------------------------------------------------------------


def test_classifiers_are_grouped_by_their_first_part_and_sorted() -> None:
    found = details(
        "Classifier: Topic :: B :: C",
        "Classifier: Topic :: A",
        "Classifier: Private",
        "Classifier: License :: OSI Approved :: MIT",
        "Classifier: Topic :: A",
        "Classifier:",
    ).classifiers
    assert list(found.items()) == [
        ("License", ("OSI Approved :: MIT",)),
        ("Other", ("Private",)),
        ("Topic", ("A", "B :: C")),
    ]


# -- what is malformed, and limits --------------------------------------------------------


@pytest.mark.parametrize(
    "metadata",
    [
        b"\0",
        b"\n\n\n",
        b" \n \n",
        b"no colon\nSummary: s\n",
        b": no name\n\n",
        b"From ada\nSummary: s\n",
        b"Summary: a\nSummary: b\n\n",
        b"Keywords: a\nKeywords: b\nLicense: a\nLicense: b\n\n",
        b"Project-URL\nRequires-Dist\nClassifier\n\n",
        b"Requires-Dist: " + b"(" * 5000 + b"\n\n",
        b"Author-email: " + b"(" * 5000 + b"\n\n",
        b"Author-email: " + b'"' * 5001 + b"<" * 5001 + b"\n\n",
        b"Content-Type: multipart/mixed\nRequires-Dist: \xff\xff\n\n\xff",
        b"Content-Type: text/plain; charset=nope\n\n\xff",
        b"Content-Type: " + b"x" * 9999 + b"; " + b"a=" * 9999 + b"\n\n",
        b"\xef\xbb\xbfSummary: s\n\n",
        b"\xff\xfeS\0u\0m\0m\0a\0r\0y\0",
        b"Summary: \xed\xa0\x80\n\n\xed\xb3\xbf",
        json.dumps({"summary": "s"}).encode(),
    ],
)
def test_malformed_metadata_are_no_error(metadata: bytes) -> None:
    check_text(read_details(metadata))


def check_text(found: Details) -> None:
    """Hold that all of it can be sent, and shown on one line but for the description."""
    repr(found).encode("utf-8")
    short = (
        [found.summary, found.content_type, found.license, *found.keywords]
        + [part for person in (*found.authors, *found.maintainers) for part in (person.name, person.email)]
        + [part for link in found.links for part in (link.label, link.url)]
        + [part for group in found.dependencies.values() for one in group for part in (one.name, one.rest)]
        + [part for group, values in found.classifiers.items() for part in (group, *values)]
    )
    for text in [*short, found.description]:
        text.encode("utf-8")
    assert not [text for text in short if text != " ".join(text.split())]


NAMES = [
    "Summary",
    "Author",
    "Author-email",
    "Keywords",
    "License",
    "Project-URL",
    "Home-page",
    "Requires-Dist",
]


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from([*NAMES, "Classifier", "Description", "\0"]), st.binary()), max_size=8)
)
def test_no_bytes_are_an_error(fields: list[tuple[str, bytes]]) -> None:
    check_text(read_details(b"".join(name.encode() + b": " + value + b"\n" for name, value in fields)))


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="extra='\"\\ ()<>!,;@[]andor_.:1\n"))
def test_no_text_in_a_field_is_an_error(text: str) -> None:
    value = text.replace("\n", "\n ")
    check_text(details(*(f"{name}: {value}" for name in NAMES), f"Requires-Dist: a; {value}"))


def test_long_lists_are_cut() -> None:
    fields = (
        "Requires-Dist: a{}; extra == 'x'",
        "Classifier: A :: {}",
        "Project-URL: a{}, https://a.example/{}",
    )
    found = details(
        *(field.format(number, number) for number in range(1500) for field in fields),
        "Keywords: " + ",".join(map(str, range(1500))),
        "Author-email: " + ",".join(f"a{number}@b.example" for number in range(1500)),
    )
    assert len(found.dependencies["x"]) == len(found.classifiers["A"]) == len(found.links) == 1000
    assert len(found.keywords) == len(found.authors) == 1000


def test_long_fields_are_cut() -> None:
    found = details(*(f"{field}: {'x' * 5000}" for field in ("Summary", "Keywords", "Author", "Classifier")))
    assert found.summary == "x" * 2000
    assert found.keywords == ("x" * 2000,)
    assert found.authors == (Person("x" * 2000, ""),)
    assert found.classifiers == {"Other": ("x" * 2000,)}


@pytest.mark.parametrize(
    "field",
    [
        "Requires-Dist: a; " + " and ".join(["extra=='x'"] * 15),
        "Requires-Dist: a; " + "(" * 110 + "extra=='x'" + ")" * 110,
        "Requires-Dist: a" + ",".join([">=1"] * 60),
    ],
)
def test_a_thousand_requirements_as_bad_as_they_can_be_are_read_in_bounded_time(field: str) -> None:
    started = time.process_time()
    details(*[field] * 1000)
    assert time.process_time() - started < 10


def test_one_long_field_is_read_in_bounded_time() -> None:
    started = time.process_time()
    for text in ("a,", "<", '"', "a@b ", "<,", " \t", '"a <', "(", "a\n ", ":: ", ";"):
        for name in NAMES:
            details(f"{name}: {text * (200_000 // len(text))}")
    assert time.process_time() - started < 10
