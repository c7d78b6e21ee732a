"""Prefixes, and names that a shell can read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import naming
from run_lambda_entrypoint.errors import EntrypointError
from run_lambda_entrypoint.naming import Naming
from run_lambda_entrypoint.references import read, unrecognized

PREFIX, NAMES = "LAMBDA_ENV_PREFIX", "LAMBDA_ENV_NAMES"
SECRET, PATH, VALUE = "LAMBDA_ENV_SECRETS_MANAGER_ARN_", "LAMBDA_ENV_SSM_PATH_", "LAMBDA_ENV_VALUE_FROM_"
MARKER = "hunter2"
FORM = "must be a letter or an underscore, followed by letters, digits and underscores"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("db-password", "DB_PASSWORD"),
        ("api.key", "API_KEY"),
        ("userName", "USERNAME"),
        ("a--b", "A__B"),
        ("é", "_"),
        ("ß", "_"),
        ("²", "_"),
        ("1st", "_1ST"),
        ("_x", "_X"),
        ("", ""),
    ],
)
def test_a_key_is_mapped_to_what_a_shell_can_read(key: str, name: str) -> None:
    assert Naming("", for_shell=True).name(key) == name


@pytest.mark.parametrize(
    ("prefix", "for_shell", "key", "name"),
    [
        ("DB_", False, "user-name", "DB_user-name"),
        ("DB_", True, "user-name", "DB_USER_NAME"),
        ("db_", True, "1", "db_1"),
        ("", False, "1", "1"),
    ],
)
def test_a_prefix_is_in_front_of_the_mapped_key_and_stays_as_it_is(
    prefix: str, for_shell: bool, key: str, name: str
) -> None:
    assert Naming(prefix, for_shell).name(key) == name


@given(st.text(min_size=1))
def test_any_mapped_key_is_a_name_of_a_shell(key: str) -> None:
    assert re.fullmatch("[A-Z_][A-Z0-9_]*", Naming("", for_shell=True).name(key))


def test_two_keys_for_one_variable_are_an_error_that_names_both() -> None:
    with pytest.raises(EntrypointError) as raised:
        Naming("DB_", for_shell=True).named({"user-name": MARKER, "user.name": MARKER, "other": MARKER})
    assert str(raised.value) == 'keys "user-name" and "user.name" map to the same variable, DB_USER_NAME'


def test_a_key_without_a_value_is_not_in_the_way() -> None:
    assert Naming("", for_shell=True).named({"a-b": None, "a.b": "x"}) == {"A_B": "x"}


# -- Which reference has which


def names(environ: dict[str, str]) -> dict[str, str]:
    """What each reference calls the key "a-b"."""
    return {
        reference.variable: reference.naming.name("a-b") if reference.naming else "a-b"
        for reference in read(environ).references
    }


def test_a_prefix_is_for_the_references_with_the_same_ending() -> None:
    environ = {
        "SECRETS_MANAGER_ARN": "name",
        f"{SECRET}A": "name",
        f"{PATH}A": "/a/",
        f"{SECRET}B": "name",
        PREFIX: "P_",
        f"{PREFIX}_A": " A_\n",
        f"{VALUE}A": "name",
        f"{PREFIX}_": "E_",
        SECRET: "name",
    }
    assert names(environ) == {
        "SECRETS_MANAGER_ARN": "P_a-b",
        f"{SECRET}A": "A_a-b",
        f"{PATH}A": "A_a-b",
        f"{SECRET}B": "a-b",
        f"{VALUE}A": "a-b",
        SECRET: "E_a-b",
    }


@pytest.mark.parametrize(("text", "name"), [("shell", "A_B"), (" SHELL ", "A_B"), ("exact", "a-b"), ("", "a-b")])
def test_names_are_for_all_of_them_with_and_without_a_prefix(text: str, name: str) -> None:
    environ = {f"{SECRET}A": "name", f"{SECRET}B": "name", f"{PREFIX}_B": "B_", f"{VALUE}C": "name", NAMES: text}
    assert names(environ) == {f"{SECRET}A": name, f"{SECRET}B": f"B_{name}", f"{VALUE}C": "a-b"}


@pytest.mark.parametrize("prefix", ["1", "a-b", "é", "a b", f"={MARKER}", "A\n_"])
@pytest.mark.parametrize("variable", [PREFIX, f"{PREFIX}_A"])
def test_a_prefix_that_is_not_valid_is_refused_once_and_not_shown(variable: str, prefix: str) -> None:
    with pytest.raises(EntrypointError) as raised:
        read({variable: prefix, f"{SECRET}A": "name", f"{PATH}A": "/a/"})
    assert list(map(str, raised.value.reports())) == [f"{variable} {FORM}"]


def test_all_that_is_not_valid_is_one_report() -> None:
    environ = {
        NAMES: "both",
        f"{PREFIX}_A": "1",
        f"{SECRET}A": "arn:",
        "LAMBDA_ENV_REQUIRED": "A=B",
        "LAMBDA_ENV_TEMPLATE_A": "{",
        "LAMBDA_ENV_TEMPLATE__HANDLER": "x",
        "SECRETS_MANAGER_ARN": "arn:",
    }
    with pytest.raises(EntrypointError) as raised:
        read(environ)
    assert [report.reference for report in raised.value.reports()] == [
        *(NAMES, f"{PREFIX}_A", "SECRETS_MANAGER_ARN", f"{SECRET}A"),
        *("LAMBDA_ENV_TEMPLATE_A", "LAMBDA_ENV_TEMPLATE__HANDLER", "LAMBDA_ENV_REQUIRED"),
    ]


def test_the_choice_of_names_is_checked() -> None:
    with pytest.raises(EntrypointError) as raised:
        naming.read({NAMES: "both"})
    assert str(raised.value) == f'{NAMES} is "both"; must be one of exact, shell'


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({PREFIX: "P_"}, [f"{PREFIX} has no effect without SECRETS_MANAGER_ARN"]),
        ({f"{PREFIX}_A": "P_", f"{VALUE}A": "x"}, [f"{PREFIX}_A has no effect without {SECRET}A or {PATH}A"]),
        ({f"{PREFIX}_A": "P_", f"{SECRET}A": " "}, [f"{PREFIX}_A has no effect without {SECRET}A or {PATH}A"]),
        ({f"{PREFIX}_A": "P_", f"{PATH}A": "/a/"}, []),
        ({f"{PREFIX}_A": "P_", f"{SECRET}A": "name"}, []),
        ({PREFIX: "P_", "SECRETS_MANAGER_ARN": "name"}, []),
        ({PREFIX: " ", f"{PREFIX}_A": ""}, []),
        ({f"{PREFIX}ES": "P_"}, [f"{PREFIX}ES is not recognized; did you mean {PREFIX}?"]),
    ],
)
def test_a_prefix_without_its_reference_is_a_warning(environ: dict[str, str], expected: list[str]) -> None:
    assert unrecognized(environ, []) == expected
