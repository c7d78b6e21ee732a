"""Replies of AWS's JSON protocol, AWS's errors, what is neither, and which of them are retryable."""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from traceback import format_exception

import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.aws.classify import THROTTLING_CODES, TRANSIENT_CODES, connection_error, service_error
from run_lambda_entrypoint.aws.replies import read
from run_lambda_entrypoint.errors import EntrypointError, ServiceError
from run_lambda_entrypoint.native.tls import translated

HOST = "secrets.example:8443"
MARKER = "correct-horse-battery-staple"

members = st.dictionaries(
    st.sampled_from(["__type", "code", "message", "Message"]), st.none() | st.integers() | st.text()
)
documents = members.map(lambda document: json.dumps(document).encode())


def failure(status: int, body: bytes, headers: dict[str, str] | None = None) -> EntrypointError:
    with pytest.raises(EntrypointError) as caught:
        read(HOST, status, headers or {}, body)
    return caught.value


def judged(error: EntrypointError) -> tuple[str, bool]:
    return str(error), error.retryable


@pytest.mark.parametrize("headers", [{}, {"content-length": "26"}, {"content-length": "wrong"}])
def test_a_reply_is_its_json_object(headers: dict[str, str]) -> None:
    assert read(HOST, 200, headers, b'{"SecretString": "\\u00e9"}') == {"SecretString": "é"}


# -- AWS's errors; tests/transports/test_faults.py has more of their forms


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b'{"__type": "ns#Code:http://internal.amazon.com/ns#x", "message": "a\\nb."}', r"Code: a\nb"),
        ({}, b'{"code": "Code", "message": null}', "Code"),
        ({"x-amzn-errortype": "Code:http://internal.amazon.com/"}, b"", "Code"),
    ],
)
def test_an_error_has_aws_code_and_message(headers: dict[str, str], body: bytes, expected: str) -> None:
    assert str(failure(400, body, headers)) == expected


def test_an_error_has_the_date_of_the_reply() -> None:
    error = failure(403, b'{"__type": "Code"}', {"date": "Mon, 23 Nov 2026 10:00:00 GMT"})
    assert isinstance(error, ServiceError)
    assert error.date == "Mon, 23 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("code", "text", "status", "kind", "retryable"),
    [
        ("ResourceNotFoundException", "", 400, errors.SECRET_NOT_FOUND, False),
        ("AccessDeniedException", "", 400, errors.ACCESS_DENIED, False),
        ("AccessDeniedException", "with an explicit deny in a policy", 400, errors.EXPLICITLY_DENIED, False),
        ("AccessDeniedException", "no access to secret:RequestExpired", 400, errors.ACCESS_DENIED, False),
        ("AccessDeniedException", "on resource: deletion-job", 400, errors.ACCESS_DENIED, False),
        ("DecryptionFailure", "", 400, errors.NOT_DECRYPTED, False),
        ("InvalidRequestException", "it was marked for deletion", 400, errors.MARKED_FOR_DELETION, False),
        ("ExpiredTokenException", "", 400, errors.CREDENTIALS_REFUSED, False),
        ("InvalidSignatureException", "", 400, errors.CREDENTIALS_REFUSED, False),
        ("UnrecognizedClientException", "", 403, errors.CREDENTIALS_REFUSED, False),
        ("InvalidSignatureException", "Signature expired: x", 403, errors.WRONG_CLOCK, False),
        ("SignatureDoesNotMatch", "Signature not yet current: x", 403, errors.WRONG_CLOCK, False),
        *((code, "", 403, errors.WRONG_CLOCK, False) for code in ("RequestTimeTooSkewed", "RequestExpired")),
        *((code, "", 400, errors.THROTTLED, True) for code in sorted(THROTTLING_CODES)),
        ("Whatever", "", 429, errors.THROTTLED, True),
        *((code, "", 400, errors.UNAVAILABLE, True) for code in sorted(TRANSIENT_CODES)),
        *(("InternalServiceError", "", status, errors.UNAVAILABLE, True) for status in (500, 503)),
        ("BrandNewException", "", 400, errors.UNAVAILABLE, False),
    ],
)
def test_an_error_has_its_kind_and_may_be_retryable(
    code: str, text: str, status: int, kind: errors.Kind, retryable: bool
) -> None:
    error = service_error(code, text, status)
    assert (error.kind.meaning, error.retryable) == (kind.meaning, retryable)


def test_what_is_retryable_is_what_botocores_standard_mode_retries() -> None:
    throttled = frozenset(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined]
    transient = frozenset(TransientRetryableChecker._TRANSIENT_ERROR_CODES)  # type: ignore[attr-defined]
    assert (throttled, transient - throttled) == (THROTTLING_CODES, TRANSIENT_CODES)


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (404, False), (429, True), (500, True)])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b'"x"', b"{}", b'{"__type": 1}', b'{"__type": ""}', b'{"__type": "ns#"}'),
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_an_error_without_aws_code_has_host_and_status(status: int, retryable: bool, body: bytes) -> None:
    assert judged(failure(status, body)) == (f"HTTP {status}: {HOST} returned no AWS error code", retryable)


# -- What is not AWS's


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        *((status, {"content-length": "3"}, b"{}") for status in (200, 400)),
        *((200, {}, body) for body in (b"", b'{"A": "')),
    ],
)
def test_a_truncated_reply_is_retryable(status: int, headers: dict[str, str], body: bytes) -> None:
    assert judged(failure(status, body, headers)) == (f"the reply from {HOST} was truncated", True)


@pytest.mark.parametrize("headers", [{"content-length": "7"}, {"transfer-encoding": "chunked"}])
def test_half_an_object_that_is_complete_is_not_retryable(headers: dict[str, str]) -> None:
    assert failure(200, b'{"A": "', headers).retryable is False


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, {}, MARKER.encode() + b"\xff", id="not text"),
        pytest.param(200, {}, MARKER.encode() * 50_000, id="too large"),
        pytest.param(302, {}, f'{{"SecretString": "{MARKER}"}}'.encode(), id="redirection"),
        pytest.param(500, {}, f'{{"SecretString": "{MARKER}"}}'.encode(), id="error without a code"),
        pytest.param(400, {}, f'{{"__type": "Code", "x": "{MARKER}"}}'.encode(), id="error with a code"),
    ],
)
def test_a_failure_never_shows_the_body(status: int, headers: dict[str, str], body: bytes) -> None:
    assert MARKER not in "".join(format_exception(failure(status, body, headers)))


@given(st.sampled_from([200, 302, 400, 500]), st.binary() | documents)
def test_any_body_is_a_reply_or_a_failure(status: int, body: bytes) -> None:
    with suppress(EntrypointError):
        read(HOST, status, {}, body)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ssl.SSLError(1, "[SSL] legacy sigalg disallowed (_ssl.c:1006)"), "[SSL] legacy sigalg disallowed"),
        (ssl.SSLError(1, "a\nb"), r"a\nb"),
        (ssl.SSLError(), "unknown reason"),
    ],
)
def test_an_error_of_openssl_without_a_reason_code_has_its_text(error: ssl.SSLError, expected: str) -> None:
    assert judged(connection_error(HOST, translated(error))) == (f"TLS with {HOST} failed: {expected}", False)
