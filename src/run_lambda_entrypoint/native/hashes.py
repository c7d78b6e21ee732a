"""SHA-256 and HMAC-SHA256."""

from __future__ import annotations

from . import KNOWN

try:
    if not KNOWN:
        raise ImportError
    from _hashlib import hmac_digest, openssl_sha256

    # A FIPS build of OpenSSL may refuse; UnsupportedDigestmodError is a ValueError.
    openssl_sha256(hmac_digest(b"key", b"", "sha256"))
except (ImportError, ValueError):
    from hashlib import sha256 as openssl_sha256
    from hmac import digest as hmac_digest  # type: ignore[assignment]


def sha256(data: bytes) -> str:
    """The SHA-256 of `data`, in hexadecimal."""
    return openssl_sha256(data).hexdigest()


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """The HMAC-SHA256 of `data`."""
    return hmac_digest(key, data, "sha256")
