"""What the user is told: the catalog of failures, reports, and text made safe for a line of a log."""

from __future__ import annotations

import errno
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.errors import (
    INVALID_SECRET,
    UNAVAILABLE,
    CombinedError,
    EntrypointError,
    Kind,
    internal,
    invalid_reference,
)
from run_lambda_entrypoint.text import printable

MARKER = "correct-horse-battery-staple"
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, Kind)]


def test_every_error_type_has_the_form_that_lambda_accepts() -> None:
    assert [kind.error_type for kind in KINDS if not re.fullmatch(r"Function\.[A-Z][a-zA-Z]+", kind.error_type)] == []


def test_an_invalid_reference_names_its_variable() -> None:
    error = invalid_reference("VARIABLE\n", "is none")
    assert (str(error), error.reference) == (r"VARIABLE\n is none", r"VARIABLE\n")


def test_several_failures_are_reported_one_by_one_and_flat_with_the_kind_of_the_first() -> None:
    a, b, c = (EntrypointError(kind, "x") for kind in (INVALID_SECRET, UNAVAILABLE, INVALID_SECRET))
    combined = CombinedError([a, CombinedError([b, c])])
    assert (combined.reports(), str(combined), combined.kind) == ([a, b, c], "x; x; x", INVALID_SECRET)


def test_an_internal_error_has_its_type_and_innermost_place_but_not_its_message() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(MARKER)
    actual = str(internal(caught.value))
    assert re.fullmatch(r"internal error: JSONDecodeError at \S+/json/decoder\.py:\d+; please report it", actual)


def test_an_internal_error_that_was_never_raised_has_no_place() -> None:
    assert str(internal(KeyError(MARKER))) == "internal error: KeyError at an unknown place; please report it"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(MARKER), "out of memory; give the function more memory"),
        (OSError(errno.EMFILE, MARKER), "cannot open another file or connection; raise the limit of open files"),
        (OSError(errno.ENFILE, MARKER), "cannot open another file or connection; raise the limit of open files"),
        (ModuleNotFoundError(MARKER, name="_ssl"), "this Python lacks the module _ssl; install its complete"),
        (ImportError(MARKER, name="_ssl"), "cannot load the module _ssl; give the function more memory, or"),
    ],
)
def test_what_the_machine_lacks_is_no_internal_error(error: Exception, message: str) -> None:
    actual = str(internal(error))
    assert (actual.startswith(message), MARKER in actual) == (True, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text, é and 😀", "plain text, é and 😀"),
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\0\x1b[31m", r"\x00\x1b[31m"),
        ("\x85\u2028\u202e", r"\x85\u2028\u202e"),
        ("\ud800\udc80", r"\ud800\udc80"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, expected: str) -> None:
    assert printable(text) == expected


@given(st.text(), st.integers(1, 30))
def test_printable_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    actual = printable(text, limit)
    assert (actual.isprintable(), len(actual) <= limit, actual.encode().decode()) == (True, True, actual)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=400))
def test_short_printable_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text
