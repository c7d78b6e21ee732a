"""What is said of a certificate that is not trusted: of the one in the chain that is at fault, where that is known."""

from __future__ import annotations

import pytest

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.aws.classify import connection_error
from run_lambda_entrypoint.native import CertificateError, ResolutionError

PAST, FUTURE = "Jan  1 00:00:00 2020 GMT", "Dec 31 23:59:59 2999 GMT"
GOOD = {"notBefore": PAST, "notAfter": FUTURE}
EXPIRED, NOT_YET_VALID, HOST, ADDRESS = 10, 9, 62, 64


@pytest.mark.parametrize(
    ("code", "chain", "kind", "expected"),
    [
        (EXPIRED, [{**GOOD, "notAfter": PAST}], errors.CERTIFICATE_EXPIRED, f" (valid until {PAST})"),
        (EXPIRED, [GOOD, {**GOOD, "notAfter": PAST}], errors.CERTIFICATE_EXPIRED, f" (valid until {PAST})"),
        (
            EXPIRED,
            [GOOD],
            errors.CERTIFICATE_NOT_TRUSTED,
            " (not that of the host but its issuer's, in the trust store)",
        ),
        (EXPIRED, [], errors.CERTIFICATE_EXPIRED, ""),
        (NOT_YET_VALID, [{**GOOD, "notBefore": FUTURE}], errors.CERTIFICATE_NOT_YET_VALID, f" (valid from {FUTURE})"),
        (NOT_YET_VALID, [{}], errors.CERTIFICATE_NOT_YET_VALID, ""),
    ],
)
def test_a_certificate_at_the_wrong_time_has_its_date(
    code: int, chain: list[dict[str, str]], kind: errors.Kind, expected: str
) -> None:
    error = connection_error("host", CertificateError(code, "OpenSSL's words", chain))
    reason = "certificate has expired" if code == EXPIRED else "certificate is not yet valid"
    assert (error.kind, str(error)) == (kind, f"the certificate of host is not trusted: {reason}{expected}")


@pytest.mark.parametrize("code", [HOST, ADDRESS])
@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((("DNS", "one.example"), ("IP Address", "127.0.0.1")), " (it is for one.example, 127.0.0.1)"),
        ((("DNS", "one\n\x1b"),), r" (it is for one\n\x1b)"),
        ((), ""),
    ],
)
def test_a_certificate_for_another_host_has_its_names(code: int, names: tuple[tuple[str, str]], expected: str) -> None:
    error = connection_error("host", CertificateError(code, "mismatch", [{"subjectAltName": names}, GOOD]))
    assert error.kind is errors.CERTIFICATE_OF_ANOTHER_HOST
    assert str(error) == f"the certificate of host is not trusted: hostname mismatch{expected}"


def test_a_certificate_for_very_many_hosts_is_a_report_of_limited_size() -> None:
    names = [("DNS", f"host-{number}.example") for number in range(2000)]
    error = connection_error("host", CertificateError(HOST, "mismatch", [{"subjectAltName": names}]))
    assert str(error).endswith("host-19.example, and 1,980 more)")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("host.example", "host.example"),
        ("host.example:4566", "host.example"),
        ("host.example:80 (source of the credentials)", "host.example (source of the credentials)"),
    ],
)
def test_a_name_that_is_not_resolved_has_no_port(host: str, expected: str) -> None:
    error = connection_error(host, ResolutionError("no", final=True))
    assert str(error) == f"the name of {expected} could not be resolved (no)"
