"""Whose certificates are believed."""

from __future__ import annotations

import os

from ..errors import ConfigurationError, printable
from .packaged import data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Store = tuple[str, Callable[[], bytes]]

# Debian's and Amazon Linux's places.
SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def stores(environ: Mapping[str, str], *, amazon: bool) -> list[Store]:
    """The stores to verify against, in order, each as its name and a function that reads its PEM text.

    Amazon's own roots come first for a host that is `amazon`'s: they are stricter than the system's store and load in
    0.7 ms, where 144 certificates take 20 to 30.
    """
    chosen = environ.get("AWS_CA_BUNDLE")
    if chosen:
        return [(f"AWS_CA_BUNDLE={printable(chosen)}", lambda: _chosen(chosen))]
    own = [("Amazon's own roots", _amazon_roots)] if amazon else []
    return [*own, ("the system's store", lambda: _system(environ)), ("the archive's bundle", _archived)]


def _chosen(path: str) -> bytes:
    try:
        certificates = _file(path)
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror})") from None
    if b"-----BEGIN CERTIFICATE-----" not in certificates:
        raise _unusable(path, "holds no certificate")
    return certificates


def _unusable(path: str, fault: str) -> ConfigurationError:
    return ConfigurationError(f"AWS_CA_BUNDLE={printable(path)} {fault}; name a PEM file with certificates")


def _amazon_roots() -> bytes:
    """Built into the archive; not there when the package runs from its source."""
    try:
        return data(__package__, "amazon-roots.pem")
    except OSError:
        return b""


def _archived() -> bytes:
    return data("botocore", "cacert.pem")


def _system(environ: Mapping[str, str]) -> bytes:
    """Where OpenSSL is told to look, else where distributions put it (OpenSSL's own default is none of these)."""
    file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
    for path in [file] if file else [] if folder else SYSTEM_BUNDLES:
        try:
            return _file(path)
        except OSError:
            continue
    return b"\n".join(_hashed(folder)) if folder else b""


def _hashed(folder: str) -> list[bytes]:
    """The certificates of a folder as c_rehash makes them: "1b0f7e5c.0"."""
    try:
        names = sorted(
            name for name in os.listdir(folder) if len(name) > 9 and name[8] == "." and name[9:].isdigit()
        )
        return [_file(f"{folder}/{name}") for name in names]
    except OSError:
        return []


def _file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
