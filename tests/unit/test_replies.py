"""What AWS's JSON protocol answered: replies, errors of AWS, and everything that is neither."""

from __future__ import annotations

import json
from contextlib import suppress
from traceback import format_exception

import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.aws.replies import SIZE_LIMIT, THROTTLING, TRANSIENT, read
from run_lambda_entrypoint.errors import FetchError, ServiceError

HOST = "secrets.example:8443"
MARKER = "correct-horse-battery-staple"

members = st.dictionaries(
    st.sampled_from(["__type", "code", "message", "Message"]), st.none() | st.integers() | st.text()
)
documents = members.map(lambda document: json.dumps(document).encode())


def failure(status: int, body: bytes, headers: dict[str, str] | None = None) -> FetchError:
    with pytest.raises(FetchError) as caught:
        read(HOST, status, headers or {}, body)
    return caught.value


@pytest.mark.parametrize("headers", [{}, {"content-length": "26"}, {"content-length": "wrong"}])
def test_a_reply_is_its_json_object(headers: dict[str, str]) -> None:
    actual = read(HOST, 200, headers, b'{"SecretString": "\\u00e9"}')
    assert actual == {"SecretString": "é"}


def test_the_largest_secret_with_every_character_escaped_is_read() -> None:
    secret = "\x01" * 65_536
    actual = read(HOST, 200, {}, json.dumps({"SecretString": secret}).encode())
    assert actual == {"SecretString": secret}


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (400, {}, b'{"__type": "Code", "message": "text"}', ("Code", "Code: text")),
        (400, {}, b'{"__type": "Code", "Message": "text"}', ("Code", "Code: text")),
        (400, {}, b'{"__type": "Code"}', ("Code", "Code")),
        (400, {}, b'{"code": "Code", "message": null}', ("Code", "Code")),
        (400, {}, b'{"__type": "com.amazonaws.secretsmanager#Code"}', ("Code", "Code")),
        (400, {}, b'{"__type": "ns#Code:http://internal.amazon.com/ns#x"}', ("Code", "Code")),
        (400, {"x-amzn-errortype": "Code:http://internal.amazon.com/"}, b"", ("Code", "Code")),
        (
            400,
            {"x-amzn-errortype": "Code"},
            b'{"__type": "Other", "message": "text"}',
            ("Code", "Code: text"),
        ),
        (500, {}, b'{"__type": "Code\\n", "message": "a\\nb."}', ("Code\\n", "Code\\n: a\\nb")),
    ],
)
def test_an_error_of_aws_has_code_and_message(
    status: int, headers: dict[str, str], body: bytes, expected: tuple[str, str]
) -> None:
    error = failure(status, body, headers)
    assert isinstance(error, ServiceError)
    assert (error.code, str(error)) == expected


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ResourceNotFoundException", False),
        (400, "AccessDeniedException", False),
        (400, "DecryptionFailure", False),
        (403, "UnrecognizedClientException", False),
        (400, "ThrottlingException", True),
        (400, "TooManyRequestsException", True),
        (400, "RequestTimeout", True),
        (429, "Whatever", True),
        (500, "InternalServiceError", True),
        (503, "Whatever", True),
    ],
)
def test_throttling_and_faults_of_the_server_pass(status: int, code: str, expected: bool) -> None:
    actual = failure(status, json.dumps({"__type": code}).encode()).passing
    assert actual == expected


def throttled(status: int, code: str) -> tuple[bool, bool]:
    """Whether an error passes, and whether it is throttling."""
    error = failure(status, json.dumps({"__type": f"ns#{code}"}).encode())
    assert isinstance(error, ServiceError)
    return error.passing, error.throttled


def test_the_codes_for_throttling_are_those_of_botocores_standard_mode() -> None:
    theirs = ThrottledRetryableChecker._THROTTLED_ERROR_CODES  # type: ignore[attr-defined]
    assert set(theirs) == THROTTLING


def test_the_codes_for_another_passing_fault_are_those_of_botocores_standard_mode() -> None:
    theirs = TransientRetryableChecker._TRANSIENT_ERROR_CODES  # type: ignore[attr-defined]
    assert set(theirs) - THROTTLING == TRANSIENT


@pytest.mark.parametrize("code", sorted(THROTTLING))
def test_throttling_passes(code: str) -> None:
    assert throttled(400, code) == (True, True)


@pytest.mark.parametrize("code", sorted(TRANSIENT))
def test_a_transient_error_passes_and_is_no_throttling(code: str) -> None:
    assert throttled(400, code) == (True, False)


@pytest.mark.parametrize(
    ("status", "expected"), [(429, (True, True)), (500, (True, False)), (503, (True, False))]
)
def test_of_an_unknown_code_the_status_decides(status: int, expected: tuple[bool, bool]) -> None:
    assert throttled(status, "Whatever") == expected


def test_an_error_of_aws_has_the_date_of_the_reply() -> None:
    error = failure(403, b'{"__type": "Code"}', {"date": "Mon, 23 Nov 2026 10:00:00 GMT"})
    assert isinstance(error, ServiceError)
    assert error.date == "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "passing"), [(400, False), (404, False), (429, True), (500, True), (503, True)]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"x"',
        b"{}",
        b'{"__type": 1}',
        b'{"__type": ""}',
        b'{"__type": "ns#"}',
        b"[" * 100_000,
    ],
)
def test_an_error_without_a_code_of_aws_names_host_and_status(
    status: int, passing: bool, body: bytes
) -> None:
    error = failure(status, body)
    actual = (str(error), error.passing)
    assert actual == (f"HTTP {status}: {HOST} answered without an error of AWS's", passing)


def test_a_redirection_is_told() -> None:
    actual = str(failure(302, b""))
    assert actual == (
        f"HTTP 302: {HOST} answered without an error of AWS's; it redirects, so it is not the endpoint itself"
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_reply_that_is_no_object_fails_for_good(body: bytes) -> None:
    error = failure(200, body)
    actual = (str(error), error.passing)
    assert actual == (
        f"{HOST} answered with something that is not AWS's JSON; is it the right endpoint, and no proxy?",
        False,
    )


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"content-length": "3"}, b"{}"),
        (400, {"content-length": "3"}, b"{}"),
        (200, {}, b""),
        (200, {}, b'{"A": "'),
    ],
)
def test_a_reply_cut_short_may_pass(status: int, headers: dict[str, str], body: bytes) -> None:
    error = failure(status, body, headers)
    actual = (str(error), error.passing)
    assert actual == (f"the reply of {HOST} was cut short", True)


@pytest.mark.parametrize("headers", [{"content-length": "7"}, {"transfer-encoding": "chunked"}])
def test_half_an_object_that_came_whole_fails_for_good(headers: dict[str, str]) -> None:
    actual = failure(200, b'{"A": "', headers).passing
    assert actual is False


def test_a_reply_too_large_fails_for_good() -> None:
    error = failure(200, b'{"SecretString": "' + b"x" * SIZE_LIMIT + b'"}')
    actual = (str(error), error.passing)
    assert actual == (f"the reply of {HOST} is over 1,048,576 bytes; no secret is that large", False)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, {}, f'{{"SecretString": "{MARKER}'.encode(), id="not closed"),
        pytest.param(200, {}, f'["{MARKER}"]'.encode(), id="an array"),
        pytest.param(200, {}, MARKER.encode() + b"\xff", id="no text"),
        pytest.param(200, {"content-length": "999"}, MARKER.encode(), id="cut short"),
        pytest.param(200, {}, MARKER.encode() * 50_000, id="too large"),
        pytest.param(302, {}, f'{{"SecretString": "{MARKER}"}}'.encode(), id="redirection"),
        pytest.param(500, {}, f'{{"SecretString": "{MARKER}"}}'.encode(), id="error without a code"),
        pytest.param(400, {}, f'{{"__type": "Code", "x": "{MARKER}"}}'.encode(), id="error with a code"),
    ],
)
def test_a_failure_never_tells_the_body(status: int, headers: dict[str, str], body: bytes) -> None:
    shown = "".join(format_exception(failure(status, body, headers)))
    assert MARKER not in shown


@given(st.sampled_from([200, 302, 400, 500]), st.binary() | documents)
def test_any_body_is_a_reply_or_a_failure(status: int, body: bytes) -> None:
    with suppress(FetchError):
        read(HOST, status, {}, body)
