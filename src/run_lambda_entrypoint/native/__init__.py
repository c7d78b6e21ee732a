"""TCP, TLS, JSON and HMAC on CPython's C modules, without the Python modules around them: 7 ms of every start.

`_socket`, `_ssl`, `_json` and `_hashlib` do the work in either case: protocol, ciphers, verification of certificates
and hostnames, timeouts, parsing. What `socket`, `ssl`, `json`, `hashlib` and `hmac` add to them for a client, and where
it is done here:

ssl
- A context that verifies certificate and hostname: C sets both for PROTOCOL_TLS_CLIENT. `tls.context` sets them again,
  and `tls.secure` refuses a context without them.
- A minimum version: none, in either half, and Debian's OpenSSL has none either. `tls.context` sets TLS 1.2.
- A hostname is required: C would accept None, and any certificate with it. `tls.secure` refuses a missing, an empty and
  a non-ASCII one (the Python half would encode that as IDNA; no endpoint has such a name).
- The socket lives as long as the session, which refers to it weakly: `sockets.Connection` holds both, and
  `sockets.Socket` is a class of Python, which can be referred to weakly.
- A socket that is not connected any more gets no session, and what is read from it later would be plain text
  (CVE-2023-40217): `tls.secure` always makes the session, and where `ssl` itself did the work it looks for it.
- Everything is written: `sockets.Connection.send_all`.
- An end without TLS's close_notify: `ssl` hides it unless suppress_ragged_eofs is False, and both halves before CPython
  3.11.4 with OpenSSL 3. `tls.context` forbids the latter.
- The socket is closed when the handshake fails: `tls.secure`.

socket
- An object that can be read line by line, and that closes the socket: `sockets.Connection`, an io.RawIOBase.

json
- An error in the text has its place: whatever C does not parse at once is judged by `json` itself (`json.loads`). So is
  what starts with a byte order mark or is in UTF-16 or UTF-32. (The parser of CPython 3.11 raises SystemError for an
  error if `json.decoder` was not imported.)

hashlib, hmac
- Another implementation where OpenSSL refuses, as a FIPS build may: `hashes` tries OpenSSL's once, and uses `hashlib`
  and `hmac` if that fails.

All else in them is for servers, other protocols, other systems, or turns numbers into enums.

The C modules are private: any version may change them. So they are used on the versions of CPython that are tested
(`KNOWN`), and where they have everything that is needed; otherwise the public modules are, through their public API
alone. tests/conformance compares both. The modules here raise the exceptions below, EOFError where the other side ended
the connection, and other OSErrors, TimeoutError among them: nothing else knows which half did the work. `posix`, below
`os`, is the same on all versions, and used elsewhere too; `paths` has what `os.path` adds to it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

KNOWN = sys.implementation.name == "cpython" and (3, 11) <= sys.version_info[:2] <= (3, 15)


class ResolutionError(OSError):
    """A name has no address; `final`: the resolver says that it never will."""

    def __init__(self, reason: str, *, final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class TlsError(OSError):
    """TLS failed, for a `reason` in OpenSSL's words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CertificateError(OSError):
    """A certificate is not trusted: OpenSSL's code for it (X509_V_ERR_*), and its words. `chain` is what the other side
    sent, its own certificate first, each as SSLSocket.getpeercert has it; none where that cannot be had."""

    def __init__(self, code: int, reason: str, chain: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.chain = chain


class JsonError(ValueError):
    """A text is not JSON; the error is at this line and column, or at 0 if there is no such place."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.line = line
        self.column = column
