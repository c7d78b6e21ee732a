"""What this program is, and what it runs on: `--version`."""

from __future__ import annotations

import sys

from .. import __build__, __version__

try:
    from ssl import OPENSSL_VERSION
except ImportError:
    OPENSSL_VERSION = "no OpenSSL"  # type: ignore[misc]


def text() -> str:
    """Version and commit; interpreter and OpenSSL."""
    name = sys.implementation.name.replace("cpython", "CPython")
    version, *_ = sys.version.split()
    return f"run-lambda-entrypoint {__version__} ({__build__})\n{name} {version}, {OPENSSL_VERSION}\n"
