"""Templates: their grammar, and what becomes of values."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import templates
from run_lambda_entrypoint.errors import EntrypointError

VALUES = {"A": "a", "EMPTY": "", "ODD": "p@ss:w/ör d%", "a.b-c d": "x"}
MARKER = "hunter2ZXQJ"


def evaluated(text: str, environ: dict[str, str] = VALUES) -> str:
    (template,) = templates.read({"LAMBDA_ENV_TEMPLATE_X": text})
    return template.evaluate(environ)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        (" {A} ", " a "),
        ("{A}{A}", "aa"),
        ("x{EMPTY}y", "xy"),
        ("{{", "{"),
        ("}}", "}"),
        ("{{A}}", "{A}"),
        ("{{{A}}}", "{a}"),
        ("{ODD}", VALUES["ODD"]),
        ("{ODD:url}", "p%40ss%3Aw%2F%C3%B6r%20d%25"),
        ("{a.b-c d}", "x"),
        ("$VAR ${{A}}", "$VAR ${A}"),
    ],
)
def test_a_template_is_text_with_values_in_it(text: str, expected: str) -> None:
    assert evaluated(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("}", 'single "}" at byte 1'),
        ("a}b", 'single "}" at byte 2'),
        ("{A}}", 'single "}" at byte 4'),
        ("é}", 'single "}" at byte 3'),
        ("{", 'unclosed "{" at byte 1'),
        ("{{{", 'unclosed "{" at byte 3'),
        ("é{A", 'unclosed "{" at byte 3'),
        ("{A{B}", '"{" inside the braces that open at byte 1'),
        ("{A:{B}", '"{" inside the braces that open at byte 1'),
        ("{}", "no NAME in the braces that open at byte 1"),
        ("{:url}", "no NAME in the braces that open at byte 1"),
        ("{A:}", 'something other than "url" after the colon in the braces that open at byte 1'),
        ("{A:URL}", 'something other than "url" after the colon in the braces that open at byte 1'),
        ("{A:url:url}", 'something other than "url" after the colon in the braces that open at byte 1'),
    ],
)
def test_what_is_not_valid_is_reported_by_its_byte(text: str, problem: str) -> None:
    with pytest.raises(EntrypointError) as raised:
        evaluated(text)
    assert str(raised.value) == (
        f"LAMBDA_ENV_TEMPLATE_X is not a valid template: {problem}; expected {{NAME}}, {{NAME:url}}, {{{{ or }}}}"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{MISSING}", "MISSING (at byte 1)"),
        ("é{MISSING}", "MISSING (at byte 3)"),
        (f"{{pass {MARKER}}}", "the variable at byte 1"),
        (f"{{{'x' * 65}}}", "the variable at byte 1"),
    ],
)
def test_a_variable_that_is_not_set_is_named_if_it_is_an_ordinary_name(text: str, shown: str) -> None:
    with pytest.raises(EntrypointError) as raised:
        evaluated(text)
    hint = "check its name and case; --dry-run without this template lists the names"
    assert str(raised.value) == f"LAMBDA_ENV_TEMPLATE_X: {shown} is not set; {hint}"


def test_each_variable_that_is_not_set_is_an_error_of_its_own() -> None:
    with pytest.raises(EntrypointError) as raised:
        evaluated("{MISSING}{A}{GONE:url}")
    assert len(raised.value.reports()) == 2


def test_each_template_that_is_not_valid_is_an_error_of_its_own() -> None:
    with pytest.raises(EntrypointError) as raised:
        templates.read({"LAMBDA_ENV_TEMPLATE_B": "{", "LAMBDA_ENV_TEMPLATE_A": "}", "LAMBDA_ENV_TEMPLATE_C": "{A}"})
    assert [report.reference for report in raised.value.reports()] == ["LAMBDA_ENV_TEMPLATE_A", "LAMBDA_ENV_TEMPLATE_B"]


@pytest.mark.parametrize("name", ["", "_HANDLER", "AWS_LAMBDA_FUNCTION_NAME"])
def test_a_variable_that_cannot_be_set_is_an_error_before_any_value_is_there(name: str) -> None:
    with pytest.raises(EntrypointError):
        templates.read({f"LAMBDA_ENV_TEMPLATE_{name}": "text"})


def test_an_empty_template_is_skipped_and_others_are_in_byte_order() -> None:
    found = templates.read({"LAMBDA_ENV_TEMPLATE_b": "1", "LAMBDA_ENV_TEMPLATE_A": "2", "LAMBDA_ENV_TEMPLATE_C": ""})
    assert [template.name for template in found] == ["A", "b"]


def test_a_template_of_white_space_is_not_empty() -> None:
    assert evaluated(" \n") == " \n"


def test_a_result_that_is_larger_than_a_variable_may_be_is_an_error() -> None:
    with pytest.raises(EntrypointError) as raised:
        evaluated("{A}{A}", {"A": (131_072 - 2) // 2 * "x"})
    words = "LAMBDA_ENV_TEMPLATE_X: the variable would take 131,073 bytes, more than Linux's limit of 131,072; "
    assert str(raised.value).startswith(words)


def test_a_result_that_is_too_large_for_memory_is_only_measured() -> None:
    with pytest.raises(EntrypointError, match="would take 60,000,200,003 bytes"):
        evaluated("{A:url}é" * 100_000, {"A": "é" * 100_000})


@given(st.lists(st.sampled_from(["é", "{{", "}}", "{A}", "{A:url}", "x"])))
def test_the_position_of_an_error_is_in_bytes_from_1_whatever_is_before(parts: list[str]) -> None:
    before = "".join(parts)
    with pytest.raises(EntrypointError, match=rf"unclosed \"{{\" at byte {len(before.encode()) + 1};"):
        evaluated(before + "{A")


@given(st.text())
def test_text_with_doubled_braces_is_itself(text: str) -> None:
    assert evaluated("-" + text.replace("{", "{{").replace("}", "}}")) == "-" + text


@given(st.text())
def test_url_encodes_as_urllib_does_without_safe_characters(value: str) -> None:
    assert evaluated("{A:url}", {"A": value}) == quote(value, safe="")


@given(st.binary())
def test_bytes_that_are_not_utf_8_are_encoded_too(value: bytes) -> None:
    assert evaluated("{A:url}", {"A": value.decode("utf-8", "surrogateescape")}) == quote(value, safe="")


@given(st.text(alphabet="{}:aurl\N{LATIN SMALL LETTER E WITH ACUTE}"))
def test_any_text_is_a_template_or_an_error_that_does_not_show_it(text: str) -> None:
    try:
        shown = ""
        evaluated(text + MARKER)
    except EntrypointError as error:
        shown = str(error)
    assert MARKER not in shown
