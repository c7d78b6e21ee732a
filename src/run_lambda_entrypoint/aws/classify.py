"""What kind of failure it is, and whether it is retryable: AWS's error codes, errors of the network and of TLS.

The same for both transports. Every message about the network names the host.
"""

from __future__ import annotations

from time import gmtime, strptime

from ..errors import (
    ACCESS_DENIED,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_NOT_TRUSTED,
    CERTIFICATE_NOT_YET_VALID,
    CERTIFICATE_OF_ANOTHER_HOST,
    CREDENTIALS_REFUSED,
    EXPLICITLY_DENIED,
    FAILED,
    FILE_LIMITS,
    MARKED_FOR_DELETION,
    NOT_DECRYPTED,
    PARAMETER_NOT_FOUND,
    SECRET_NOT_FOUND,
    THROTTLED,
    UNAVAILABLE,
    UNREACHABLE,
    WRONG_CLOCK,
    EntrypointError,
    ServiceError,
    too_many_files,
)
from ..native import CertificateError, ResolutionError, TlsError
from ..text import listed, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import Kind

# The codes that botocore's standard mode takes for throttling, and for another transient error
# (botocore/retries/standard.py).
THROTTLING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})
KINDS = {
    "AccessDeniedException": ACCESS_DENIED,
    "DecryptionFailure": NOT_DECRYPTED,
    "ExpiredTokenException": CREDENTIALS_REFUSED,
    "IncompleteSignature": CREDENTIALS_REFUSED,
    "InvalidClientTokenId": CREDENTIALS_REFUSED,
    "InvalidSignatureException": CREDENTIALS_REFUSED,
    "MissingAuthenticationTokenException": CREDENTIALS_REFUSED,
    "RequestExpired": WRONG_CLOCK,
    "RequestTimeTooSkewed": WRONG_CLOCK,
    "ParameterNotFound": PARAMETER_NOT_FOUND,
    "ParameterVersionNotFound": PARAMETER_NOT_FOUND,
    "ResourceNotFoundException": SECRET_NOT_FOUND,
    "UnrecognizedClientException": CREDENTIALS_REFUSED,
}
# Of AWS's messages, with spaces, which no secret's name has.
WRONG_CLOCK_TEXTS = ("Signature expired", "not yet current")
DELETION_TEXTS = ("marked for deletion", "marked deleted", "scheduled for deletion")  # the second is moto's
OTHER_STAGE = "a VersionStage that is not associated"
OUT_OF_MEMORY = frozenset({"MALLOC_FAILURE", "[SSL] malloc failure"})  # OpenSSL's reasons
# X509_V_ERR_*: the issuer is not in this store, another may have it. Any other error is the certificate's own.
UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})
HOSTNAME_MISMATCH = frozenset({62, 64})
NOT_YET_VALID, EXPIRED = 9, 10


def service_error(code: str, text: object, status: int, date: str = "") -> ServiceError:
    """An error that AWS replied with; `status` is the HTTP status, `date` the reply's Date header."""
    message = printable(text, 1000).rstrip(". ") if isinstance(text, str) else ""
    kind = _kind(code, message, status)
    retryable = kind is THROTTLED or status >= 500 or code in TRANSIENT_CODES
    return ServiceError(kind, code, message, retryable=retryable, date=date)


def _kind(code: str, message: str, status: int) -> Kind:
    if status == 429 or code in THROTTLING_CODES:
        return THROTTLED
    if any(text in message for text in WRONG_CLOCK_TEXTS):
        return WRONG_CLOCK
    if "explicit deny" in message:
        return EXPLICITLY_DENIED
    if code in KINDS:
        return KINDS[code]
    if any(text in message for text in DELETION_TEXTS):
        return MARKED_FOR_DELETION
    return SECRET_NOT_FOUND if OTHER_STAGE in message else UNAVAILABLE


def connection_error(host: str, error: Exception, stores: Sequence[str] = (), *, sent: bool = False) -> EntrypointError:
    """What it means that an exchange with `host` ended in `error`: an OSError that `native` raises, EOFError for a
    truncated reply, or ValueError for one that is not HTTP; `stores` are the trust stores that were tried, `sent`: the
    request was sent. After host and port, `host` may have what that host is for."""
    if isinstance(error, ResolutionError):
        name, space, role = host.partition(" ")
        name = f"{name.partition(':')[0]}{space}{role}"
        return unreachable(f"the name of {name} could not be resolved ({error.reason})", retryable=not error.final)
    if isinstance(error, TimeoutError):
        return no_answer(host, sent=sent)
    if isinstance(error, (EOFError, ConnectionResetError, BrokenPipeError)):
        return truncated(host)
    if isinstance(error, TlsError) and error.reason in OUT_OF_MEMORY:
        return EntrypointError(FAILED, f"TLS with {host} failed for lack of memory; give the function more memory")
    if isinstance(error, TlsError):
        return EntrypointError(UNAVAILABLE, f"TLS with {host} failed: {printable(error.reason, 100)}")
    if isinstance(error, CertificateError):
        return _not_trusted(host, error, stores)
    if isinstance(error, OSError) and error.errno in FILE_LIMITS:
        return too_many_files()
    if isinstance(error, OSError):
        return unreachable(f"could not connect to {host}: {error.strerror or type(error).__name__}")
    return EntrypointError(UNAVAILABLE, f"{host} did not return a valid HTTP response; check that it is the endpoint")


def _not_trusted(host: str, error: CertificateError, stores: Sequence[str]) -> EntrypointError:
    kind, reason, detail = CERTIFICATE_NOT_TRUSTED, printable(error.reason, 200), ""
    if error.code in UNKNOWN_ISSUER:
        detail = f"tried {', '.join(stores)}"
    elif error.code in HOSTNAME_MISMATCH:
        kind, reason, detail = CERTIFICATE_OF_ANOTHER_HOST, "hostname mismatch", _names(error)
    elif error.code == EXPIRED:
        kind, reason = CERTIFICATE_EXPIRED, "certificate has expired"  # OpenSSL's words depend on its version
        detail = _date(error, "notAfter", "valid until")
        if error.chain and not detail:
            kind, detail = CERTIFICATE_NOT_TRUSTED, "not that of the host but its issuer's, in the trust store"
    elif error.code == NOT_YET_VALID:
        kind, reason = CERTIFICATE_NOT_YET_VALID, "certificate is not yet valid"
        detail = _date(error, "notBefore", "valid from")
    shown = f" ({detail})" if detail else ""
    return EntrypointError(kind, f"the certificate of {host} is not trusted: {reason}{shown}")


def _names(error: CertificateError) -> str:
    """Whose certificate it is."""
    names = [name for _, name in error.chain[0].get("subjectAltName", ())] if error.chain else []
    return f"it is for {listed((printable(name, 100) for name in names), ', ')}" if names else ""


def _date(error: CertificateError, field: str, words: str) -> str:
    """The date in `field` of the first certificate that it is about: that may be an issuer's."""
    now = gmtime()
    for certificate in error.chain:
        text = certificate.get(field, "")
        try:
            moment = strptime(text, "%b %d %H:%M:%S %Y GMT")
        except ValueError:  # OpenSSL has more forms, for dates that are not valid
            continue
        if (moment < now) if field == "notAfter" else (moment > now):
            return f"{words} {text}"
    return ""


def unreachable(message: str, *, retryable: bool = True) -> EntrypointError:
    """A host could not be reached."""
    return EntrypointError(UNREACHABLE, message, retryable=retryable)


def no_answer(host: str, *, sent: bool) -> EntrypointError:
    """A host did not answer in time; `sent` says whether it got the request."""
    return unreachable(f"no answer from {host}; {'the request was sent' if sent else 'nothing was sent'}")


def truncated(host: str) -> EntrypointError:
    """The connection ended before the reply did."""
    return EntrypointError(UNAVAILABLE, f"the reply from {host} was truncated", retryable=True)
