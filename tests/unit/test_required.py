"""The list of variables without which nothing starts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import required
from run_lambda_entrypoint.errors import EntrypointError

FORM = "expected names of 1 to 128 letters, digits, underscores, periods and hyphens, with commas between them"


def messages(names: list[str], environ: dict[str, str]) -> list[str]:
    with pytest.raises(EntrypointError) as raised:
        required.Required(names).check(environ)
    return [str(report).removeprefix("LAMBDA_ENV_REQUIRED: ") for report in raised.value.reports()]


@pytest.mark.parametrize("text", ["A,B.c-d", "A B.c-d", "A\nB.c-d", " A ,, B.c-d, ", "A,\r\n\tB.c-d"])
def test_names_are_between_commas_spaces_and_line_breaks(text: str) -> None:
    assert required.read({"LAMBDA_ENV_REQUIRED": text}).names == ["A", "B.c-d"]


@pytest.mark.parametrize("text", ["", " ", ",\n"])
def test_an_empty_list_requires_nothing(text: str) -> None:
    assert required.read({"LAMBDA_ENV_REQUIRED": text}).names == []


def test_what_is_no_name_is_reported_by_its_position_and_never_shown() -> None:
    with pytest.raises(EntrypointError) as raised:
        required.read({"LAMBDA_ENV_REQUIRED": f"A, hunter2=, B, {'x' * 129}"})
    assert list(map(str, raised.value.reports())) == [
        f"LAMBDA_ENV_REQUIRED: entry 2 of 4 is not a valid name; {FORM}",
        f"LAMBDA_ENV_REQUIRED: entry 4 of 4 is not a valid name; {FORM}",
    ]


def test_a_variable_that_is_set_suffices_whoever_set_it() -> None:
    required.Required(["A", "A"]).check({"A": "value"})


def test_all_that_are_missing_are_reported_once() -> None:
    assert messages(["A", "B", "A", "C"], {"B": "value", "C": ""}) == [
        "A is not set; check the keys of the secrets; --dry-run without LAMBDA_ENV_REQUIRED lists them",
        "C is empty",
    ]


@pytest.mark.parametrize("similar", ["db_password", "DB_PASSWROD", "DB-PASSWORD"])
def test_a_similar_name_is_suggested(similar: str) -> None:
    assert messages(["DB_PASSWORD"], {"PATH": "/bin", similar: "value"}) == [
        f'DB_PASSWORD is not set; did you mean "{similar}"?'
    ]


def test_no_more_names_are_compared_than_a_report_shows() -> None:
    names = [f"NAME_{number:02}" for number in range(21)]
    hints = ["did you mean" in message for message in messages(names, dict.fromkeys(map(str.lower, names), "value"))]
    assert hints == [True] * 20 + [False]


@given(st.text())
def test_any_text_is_a_list_or_an_error_of_its_positions(text: str) -> None:
    valid = all(re.fullmatch("[A-Za-z0-9_.-]{1,128}", name) for name in text.replace(",", " ").split())
    try:
        required.read({"LAMBDA_ENV_REQUIRED": text})
    except EntrypointError as error:
        shown = str(error)
    else:
        shown = ""
    assert (FORM not in shown) == valid
