"""zlib and OpenSSL, static."""

import os
from pathlib import Path

from standalone.sources import Source, unpacked
from standalone.toolchain import FLAGS, built, environment, make, run

# What a client of TLS 1.2 and 1.3 needs, and what CPython's modules cannot do without (scrypt). OpenSSL is the part
# where size costs no time: its inner loops are in assembly.
OPENSSL_FLAGS = FLAGS.replace("-O2", "-Os")
OPENSSL_OPTIONS = """
    no-shared no-pic no-dso no-module no-engine no-legacy no-autoload-config no-tests no-apps no-docs
    no-ssl3 no-ssl3-method no-tls1 no-tls1-method no-tls1_1 no-tls1_1-method no-dtls no-dtls1 no-dtls1_2 no-quic
    no-ktls no-sctp no-srp no-srtp no-psk no-comp no-ts no-cms no-cmp no-ct no-rfc3779 no-gost no-ec2m no-uplink
    no-afalgeng no-http no-ocsp no-idea no-camellia no-seed no-aria no-sm2 no-sm3 no-sm4 no-rc2 no-rc4 no-rc5 no-md4
    no-mdc2 no-rmd160 no-whirlpool no-bf no-cast no-des no-dsa no-siphash no-siv no-argon2 no-slh-dsa no-ml-dsa
    no-nextprotoneg no-ssl-trace no-ui-console
"""

# Nothing is read from below it: OpenSSL has its configuration's place from here.
PREFIX = "/nonexistent"


def zlib(source: Source, architecture: str) -> Path:
    """The folder with lib/libz.a and include/."""

    def build(folder: Path) -> None:
        environ = environment(architecture) | {"CFLAGS": FLAGS, "CHOST": f"{architecture}-linux-musl"}
        run([f"{relative(source, folder)}/configure", "--static", f"--prefix={PREFIX}"], folder, environ)
        make(folder, environ, "install", f"DESTDIR={folder}/installed")

    return installed(built(f"zlib-{architecture}", [source.sums[0], FLAGS, recipe()], build))


def openssl(source: Source, architecture: str) -> Path:
    """The folder with lib/libssl.a, lib/libcrypto.a and include/."""

    def build(folder: Path) -> None:
        environ = environment(architecture)
        configure = [f"{relative(source, folder)}/Configure", f"linux-{architecture}"]
        places = [f"--prefix={PREFIX}", "--libdir=lib", f"--openssldir={PREFIX}"]
        run([*configure, *places, *OPENSSL_OPTIONS.split(), *OPENSSL_FLAGS.split()], folder, environ)
        make(folder, environ, "build_libs")
        make(folder, environ, "install_dev", f"DESTDIR={folder}/installed")

    return installed(built(f"openssl-{architecture}", [source.sums[0], FLAGS, recipe()], build))


def installed(folder: Path) -> Path:
    return folder / f"installed{PREFIX}"


def relative(source: Source, folder: Path) -> str:
    """The source's folder as seen from the build's: builds record it."""
    return os.path.relpath(unpacked(source), folder)


def recipe() -> str:
    return Path(__file__).read_text("utf-8")
