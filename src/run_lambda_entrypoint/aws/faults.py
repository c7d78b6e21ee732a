"""Faults of the network in words, the same for either transport; each names the host."""

from __future__ import annotations

import socket
import ssl

from ..errors import CertificateError, FetchError, NetworkError, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# EAI_AGAIN and the like may pass; that a name does not exist will not.
UNKNOWN_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)
# X509_V_ERR_*: the issuer is not in this store, another may have it. Any other error is the certificate's own.
UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})
OTHER_NAME = frozenset({62, 64})


def network(host: str, error: OSError, stores: Sequence[str] = ()) -> FetchError:
    """What it means that a connection to `host` ended in `error`; `stores` are the trust stores that were tried."""
    if isinstance(error, socket.gaierror):
        return NetworkError(
            f"the name of {host} could not be resolved ({error.strerror})",
            passing=error.errno not in UNKNOWN_NAME,
        )
    if isinstance(error, TimeoutError):
        return NetworkError(f"no answer from {host} in time", passing=True)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError)):
        return cut(host)
    if isinstance(error, ssl.SSLCertVerificationError):
        tried = f" (tried {', '.join(stores)})" if error.verify_code in UNKNOWN_ISSUER else ""
        reason = (
            "it is for another name"
            if error.verify_code in OTHER_NAME
            else printable(error.verify_message, 200)
        )
        return CertificateError(f"the certificate of {host} is not trusted: {reason}{tried}")
    if isinstance(error, ssl.SSLError):
        return FetchError(f"TLS with {host} failed: {printable(error.reason or 'unknown reason', 100)}")
    return NetworkError(f"could not talk to {host}: {error.strerror or type(error).__name__}", passing=True)


def cut(host: str) -> FetchError:
    """The connection ended before the reply did."""
    return FetchError(f"the reply of {host} was cut short", passing=True)


def no_http(host: str) -> FetchError:
    """What came back is no HTTP."""
    return FetchError(f"{host} does not answer in HTTP; is it the right endpoint?")
