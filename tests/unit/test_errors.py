"""What the user is told: exit codes, error types, reports, and text made fit for a line of a log."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.errors import (
    CombinedError,
    DocumentError,
    EntrypointError,
    FetchError,
    SecretError,
    ServiceError,
    internal,
    printable,
)

MARKER = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    ("error", "exit_code", "error_type"),
    [
        (EntrypointError, 125, "Function.EntrypointFailed"),
        (errors.UsageError, 2, "Function.InvalidArguments"),
        (errors.OptionVariableError, 125, "Function.InvalidConfiguration"),
        (errors.CommandNotExecutableError, 126, "Function.CommandNotExecutable"),
        (errors.CommandNotFoundError, 127, "Function.CommandNotFound"),
        (errors.DocumentError, 125, "Function.InvalidSecret"),
        (errors.ParameterNotFoundError, 125, "Function.ParameterNotFound"),
        (errors.OverrideError, 125, "Function.OverrideDenied"),
        (errors.EnvironmentTooLargeError, 125, "Function.EnvironmentTooLarge"),
        (errors.ConfigurationError, 125, "Function.InvalidConfiguration"),
        (errors.CredentialsMissingError, 125, "Function.CredentialsMissing"),
        (errors.FetchError, 125, "Function.SecretUnavailable"),
        (errors.NetworkError, 125, "Function.SecretUnavailable"),
        (errors.CertificateError, 125, "Function.CertificateNotTrusted"),
    ],
)
def test_each_failure_has_its_exit_code_and_type(
    error: type[EntrypointError], exit_code: int, error_type: str
) -> None:
    failure = error("what, where, what to do")
    actual = (str(failure), failure.exit_code, failure.error_type)
    assert actual == ("what, where, what to do", exit_code, error_type)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ResourceNotFoundException", "Function.SecretNotFound"),
        ("AccessDeniedException", "Function.SecretAccessDenied"),
        ("DecryptionFailure", "Function.SecretDecryptionFailed"),
        ("ExpiredTokenException", "Function.CredentialsRefused"),
        ("InvalidSignatureException", "Function.CredentialsRefused"),
        ("UnrecognizedClientException", "Function.CredentialsRefused"),
        ("ThrottlingException", "Function.SecretUnavailable"),
        ("InternalServiceError", "Function.SecretUnavailable"),
    ],
)
def test_an_error_of_aws_has_the_type_of_its_code(code: str, expected: str) -> None:
    actual = ServiceError(code, "", passing=False).error_type
    assert actual == expected


def subclasses(error: type[EntrypointError]) -> list[type[EntrypointError]]:
    direct = error.__subclasses__()
    return [*direct, *(each for child in direct for each in subclasses(child))]


def test_every_error_type_has_the_form_that_lambda_takes() -> None:
    types = [EntrypointError.error_type, *errors.ERROR_TYPES.values()]
    types += [each.error_type for each in subclasses(EntrypointError)]
    actual = [name for name in types if not re.fullmatch(r"Function\.[A-Z][a-zA-Z]+", name)]
    assert actual == []


@pytest.mark.parametrize(("message", "expected"), [("no such secret", "Code: no such secret"), ("", "Code")])
def test_an_error_of_aws_tells_code_and_message(message: str, expected: str) -> None:
    actual = str(ServiceError("Code", message, passing=False))
    assert actual == expected


@pytest.mark.parametrize(("remedy", "end"), [("", ""), ("do this", "; do this")])
def test_a_failed_secret_tells_variable_secret_cause_and_remedy(remedy: str, end: str) -> None:
    error = SecretError("VARIABLE\n", "secret", "app", DocumentError("cause"), remedy)
    actual = (str(error), error.exit_code, error.error_type)
    assert actual == (rf"VARIABLE\n: secret app: cause{end}", 125, "Function.InvalidSecret")


def test_a_failed_secret_names_variable_and_secret_for_a_log() -> None:
    actual = SecretError("VARIABLE\n", "secret", "app", DocumentError("cause"), "").subject
    assert actual == {"variable": r"VARIABLE\n", "secret": "app"}


def test_a_malformed_reference_tells_and_names_its_variable() -> None:
    error = errors.InvalidReferenceError("VARIABLE\n", "is none")
    actual = (str(error), error.subject, error.exit_code, error.error_type)
    assert actual == (r"VARIABLE\n is none", {"variable": r"VARIABLE\n"}, 125, "Function.InvalidReference")


def test_a_deadline_has_the_type_of_the_fault_before_it() -> None:
    actual = errors.DeadlineError("too late", errors.CertificateError("c")).error_type
    assert actual == "Function.CertificateNotTrusted"


def test_one_failure_is_one_report() -> None:
    error = FetchError("a")
    assert error.reports() == [error]


def test_several_failures_are_reported_one_by_one_and_flat() -> None:
    a, b, c = FetchError("a"), DocumentError("b"), FetchError("c")
    actual = CombinedError([a, CombinedError([b, c])]).reports()
    assert actual == [a, b, c]


def test_several_failures_have_the_type_of_the_first() -> None:
    error = CombinedError([DocumentError("a"), FetchError("b")])
    actual = (str(error), error.exit_code, error.error_type)
    assert actual == ("a; b", 125, "Function.InvalidSecret")


def test_an_internal_error_is_told_by_type_and_innermost_place() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(MARKER)
    actual = re.sub(r"at \S+:[0-9]+;", "at PLACE:LINE;", str(internal(caught.value)))
    assert actual == "internal error: JSONDecodeError at PLACE:LINE; please report it"


def test_an_internal_error_names_the_file() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(MARKER)
    assert "json/decoder.py:" in str(internal(caught.value))


def test_an_internal_error_that_was_never_raised_has_no_place() -> None:
    actual = str(internal(KeyError(MARKER)))
    assert actual == "internal error: KeyError at an unknown place; please report it"


def test_an_internal_error_never_tells_its_message() -> None:
    with pytest.raises(ValueError, match=MARKER) as caught:
        int(MARKER)
    assert MARKER not in str(internal(caught.value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain text, é and 😀", "plain text, é and 😀"),
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\0\x1b[31m", r"\x00\x1b[31m"),
        ("\x85\u2028\u202e", r"\x85\u2028\u202e"),
        ("\ud800\udc80", r"\ud800\udc80"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, expected: str) -> None:
    actual = printable(text)
    assert actual == expected


@given(st.text(), st.integers(1, 30))
def test_printable_text_is_one_line_within_its_limit(text: str, limit: int) -> None:
    actual = printable(text, limit)
    assert (actual.isprintable(), len(actual) <= limit) == (True, True)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=400))
def test_short_printable_text_stays_as_it_is(text: str) -> None:
    actual = printable(text)
    assert actual == text


@given(st.text())
def test_printable_text_can_be_encoded(text: str) -> None:
    actual = printable(text).encode().decode()
    assert actual == printable(text)
