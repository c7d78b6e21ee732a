"""TLS 1.2 or later for a client, with certificate and hostname verified."""

from __future__ import annotations

from . import KNOWN, CertificateError, TlsError
from .sockets import Connection

try:
    if not KNOWN:
        raise ImportError
    from _ssl import (
        CERT_REQUIRED,
        PROTOCOL_TLS_CLIENT,
        SSLCertVerificationError,
        SSLEOFError,
        SSLError,
        SSLZeroReturnError,
    )
    from _ssl import PROTO_TLSv1_2 as TLS_1_2
    from _ssl import _SSLContext as SSLContext

    if not hasattr(SSLContext, "_wrap_socket"):
        raise ImportError
    IN_C = True
except ImportError:
    from ssl import (
        CERT_REQUIRED,
        PROTOCOL_TLS_CLIENT,
        SSLCertVerificationError,
        SSLContext,
        SSLEOFError,
        SSLError,
        SSLZeroReturnError,
        TLSVersion,
    )

    TLS_1_2 = TLSVersion.TLSv1_2  # type: ignore[misc]
    IN_C = False

# CPython before 3.11.4 sets this: an end without close_notify would look like one with it.
IGNORE_UNEXPECTED_EOF = 1 << 7  # SSL_OP_IGNORE_UNEXPECTED_EOF; OpenSSL 1.1.1 knows no such bit
UNEXPECTED_EOF = "UNEXPECTED_EOF_WHILE_READING"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .sockets import Socket

    Context = Any  # ssl.SSLContext, or the C type below it


def context(certificates: str | bytes, kind: type[Context] = SSLContext) -> Context | None:
    """What trusts these certificates, in PEM if they are str, in DER if bytes; None if they cannot be read. `kind` is
    ssl.SSLContext for callers that need it.

    Not ssl.create_default_context: it loads the system's store, 20 to 30 ms.
    """
    made = kind(PROTOCOL_TLS_CLIENT)
    made.verify_mode = CERT_REQUIRED
    made.check_hostname = True
    made.minimum_version = TLS_1_2
    made.options &= ~IGNORE_UNEXPECTED_EOF
    if hasattr(made, "sslsocket_class"):
        made.sslsocket_class = _noting_chains(made.sslsocket_class)
    try:
        made.load_verify_locations(cadata=certificates)
    except (SSLError, ValueError):
        return None
    return made


def secure(connected: Socket, context: Context, host: str) -> Connection:
    """The encrypted stream over a connected socket, after a handshake with a `host` that `context` trusts.

    Closes the socket if there is none. Raises CertificateError, TlsError and other OSErrors, EOFError.
    """
    try:
        verified = context.check_hostname and context.verify_mode == CERT_REQUIRED
        if not verified or not host or not host.isascii() or not host.isprintable():
            raise TlsError("no hostname to verify")
        return (_secure_in_c if IN_C else _secure_publicly)(connected, context, host)
    except OSError as error:
        connected.close()
        raise translated(error) from None
    except ValueError:
        connected.close()
        raise TlsError("invalid hostname") from None


class _Session(Connection):
    """A connection of TLS."""

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise translated(error) from None

    def send_all(self, data: bytes) -> None:
        try:
            super().send_all(data)
        except OSError as error:
            raise translated(error) from None


def _secure_in_c(connected: Socket, context: Context, host: str) -> Connection:
    session = context._wrap_socket(connected, False, host)
    try:
        session.do_handshake()
    except SSLCertVerificationError as error:
        raise _with_chain(error, session) from None
    return _Session(connected, lambda buffer: session.read(len(buffer), buffer), session.write)


def _secure_publicly(connected: Socket, context: Context, host: str) -> Connection:
    # The name as bytes: text would be encoded as IDNA, which imports 2 ms of stringprep.
    session = context.wrap_socket(connected, server_hostname=host.encode(), suppress_ragged_eofs=False)
    if session.version() is None:  # it was not connected any more
        session.close()
        raise EOFError
    return _Session(session, session.recv_into, session.send)


def _noting_chains(kind: type[Any]) -> type[Any]:
    """`kind`, which is ssl.SSLSocket, with the chain in the error of a handshake: afterwards it is gone."""

    class Socket(kind):  # type: ignore[misc]
        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
            except SSLCertVerificationError as error:
                raise _with_chain(error, getattr(self, "_sslobj", None)) from None

    return Socket


def _with_chain(error: Any, session: Any) -> Any:
    """`error`, an SSLCertVerificationError, with what the certificates say that it is about.

    It must not be lost for an explanation: OpenSSL 1.1.1 has no chain after a handshake that failed, a CPython that is
    not known may have no such method, and a certificate may be odd.
    """
    try:
        error.chain = [certificate.get_info() for certificate in session.get_unverified_chain() or ()]
    except (AttributeError, OSError, ValueError):
        return error
    return error


def translated(error: OSError) -> OSError | EOFError:
    """An error of the standard library as this package raises it."""
    # CPython before 3.11.4 has no class of its own for OpenSSL 3's error.
    if isinstance(error, (SSLEOFError, SSLZeroReturnError)) or getattr(error, "reason", "") == UNEXPECTED_EOF:
        return EOFError()
    if isinstance(error, SSLCertVerificationError):
        return CertificateError(error.verify_code, error.verify_message, getattr(error, "chain", ()))
    if isinstance(error, SSLError):
        # Some errors have no reason code but a text (of OpenSSL 3.0.20: "legacy sigalg disallowed or unsupported"), to
        # which CPython adds where it was raised.
        text = (error.strerror or "unknown reason").partition(" (_ssl.c:")[0]
        return TlsError(getattr(error, "reason", "") or text)
    return error
