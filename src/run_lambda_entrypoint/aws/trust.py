"""Which certificates are trusted."""

from __future__ import annotations

import errno
import posix
from _functools import partial  # type: ignore[import-not-found]

from ..errors import FILE_LIMITS, INVALID_AWS_CONFIGURATION, EntrypointError, too_many_files
from ..native import paths, tls
from ..record import Record
from ..text import encode, printable
from .known import AMAZON_ROOTS
from .package_data import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..native.tls import Context

# Debian's and Amazon Linux's places.
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


class Store(Record):
    """A trust store: its name in messages, and what reads its certificates, PEM text or DER one after the other."""

    name: str
    read: Callable[[], bytes]


def stores(environ: Mapping[str, str], *, amazon: bool, ca_bundle: str = "") -> list[Store]:
    """The stores to verify against, in order; `ca_bundle` is the profile's.

    Amazon's own roots come first for a host that is `amazon`'s: they are stricter than the system's store and load in
    0.7 ms, where 144 certificates take 20 to 30. Of these, the one that nearly all of AWS's hosts chain to.
    """
    variable = environ.get("AWS_CA_BUNDLE", "")
    if variable or ca_bundle:
        # What is in a file is not shown.
        name = f"AWS_CA_BUNDLE={printable(variable)}" if variable else "the profile's ca_bundle"
        return [Store(name, partial(_chosen, name, variable or ca_bundle))]
    first, others = AMAZON_ROOTS[:1], AMAZON_ROOTS[1:]
    own = [("Amazon Root CA 1", first), ("Amazon's other roots", others)] if amazon else []
    built_in = [Store(name, partial(b"".join, roots)) for name, roots in own]
    return [*built_in, Store("the system's store", lambda: _system(environ)), Store("the archive's bundle", _archived)]


def unreadable(stores: Sequence[Store]) -> EntrypointError:
    """None of these stores has certificates that OpenSSL can read."""
    names = ", ".join(store.name for store in stores)
    return EntrypointError(
        INVALID_AWS_CONFIGURATION, f"{names}: no valid certificates; set AWS_CA_BUNDLE to a valid PEM file"
    )


def context(certificates: bytes) -> Context | None:
    """What trusts these certificates; None if they cannot be read."""
    is_der = certificates.startswith(b"\x30\x82")  # a SEQUENCE
    return tls.context(certificates if is_der else certificates.decode("ascii", "ignore"))


def _chosen(name: str, path: str) -> bytes:
    try:
        return _file(path)
    except OSError as error:
        _absent(error)
        raise EntrypointError(
            INVALID_AWS_CONFIGURATION, f"{name} cannot be read ({error.strerror}); set it to a PEM file"
        ) from None


def _archived() -> bytes:
    return data("botocore", "cacert.pem")


def _system(environ: Mapping[str, str]) -> bytes:
    """Where OpenSSL is told to look, else where distributions put it (OpenSSL's own default is none of these)."""
    file, folders = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    candidates = [file] if file else [] if folders else list(SYSTEM_BUNDLES)
    found = [pem for pem in map(_file_if_there, candidates) if pem][:1]
    for folder in folders.split(":") if folders else []:
        found += [_file_if_there(f"{folder}/{name}") for name in _hashed(folder)]
    return b"\n".join(found)


def _hashed(folder: str) -> list[str]:
    """The files of certificates in a folder as c_rehash names them: "1b0f7e5c.0"."""
    try:
        names = sorted(posix.listdir(folder))
    except OSError:
        return []
    return [name for name in names if len(name) > 9 and name[8] == "." and name[9:].isdigit()]


def _file_if_there(path: str) -> bytes:
    try:
        return _file(path)
    except OSError as error:
        return _absent(error)


def _absent(error: OSError) -> bytes:
    """No certificates, unless the file may be there."""
    if error.errno in FILE_LIMITS:
        raise too_many_files() from None
    return b""


def _file(path: str) -> bytes:
    raw = encode(path)
    if posix.stat(raw).st_mode & paths.FORMAT != paths.REGULAR:  # a pipe would be waited for
        raise OSError(errno.EINVAL, "not a regular file")
    with open(raw, "rb") as file:
        return file.read()
