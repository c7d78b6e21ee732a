"""Certificates and versions of TLS, and what a client is to make of a server that has them."""

from __future__ import annotations

import ssl
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.conformance.certificates import CLIENT, NOW, Certificate, authority, leaf, weak_key

if TYPE_CHECKING:
    from pathlib import Path

HOST = "name.example"
ROOT = authority("root")
OTHER = authority("other root")
BETWEEN = authority("between", ROOT)
POWERLESS = authority("powerless", ROOT, may_issue=False)
EXPIRED = authority("expired", ROOT, days=(-9, -1))
SELF_SIGNED = leaf(None, HOST)
GOOD = leaf(ROOT, HOST)
STORE = ROOT.pem
READ, SIZE = "read {} bytes", 1_000
MISMATCH = "hostname mismatch"
NO_ISSUER = "unable to get local issuer certificate (tried STORE)"
NO_NAME = "no hostname to verify"
FAILED = "TLS with HOST failed: {}"


class Case(NamedTuple):
    """A certificate, a hostname, and a part of what comes of them."""

    certificate: Certificate
    expected: str
    host: str | None = HOST
    store: str = STORE


def named(*names: str, common_name: str = "server") -> Certificate:
    return leaf(ROOT, *names, common_name=common_name)


def from_now(days: int) -> str:
    """A date, as OpenSSL writes it."""
    moment = NOW + timedelta(days=days)
    return f"{moment:%b} {moment.day:2} {moment:%H:%M:%S %Y} GMT"


ACCEPTED = READ.format(SIZE)
CERTIFICATES = {
    "good": Case(GOOD, ACCEPTED),
    "good for many names": Case(named("a.example", HOST, "127.0.0.1"), ACCEPTED),
    "expired": Case(leaf(ROOT, HOST, days=(-9, -2)), f"certificate has expired (valid until {from_now(-2)})"),
    "not yet valid": Case(leaf(ROOT, HOST, days=(1, 9)), f"certificate is not yet valid (valid from {from_now(1)})"),
    "self-signed": Case(SELF_SIGNED, "self"),  # "self signed" and "self-signed" are OpenSSL's words
    "self-signed in the store": Case(SELF_SIGNED, ACCEPTED, store=SELF_SIGNED.pem),
    "self-signed in the store for another name": Case(SELF_SIGNED, MISMATCH, "other.example", SELF_SIGNED.pem),
    "another authority": Case(leaf(OTHER, HOST), NO_ISSUER),
    "incomplete chain": Case(leaf(BETWEEN, HOST), NO_ISSUER),
    "complete chain": Case(leaf(BETWEEN, HOST, chain=[BETWEEN]), ACCEPTED),
    "chain with its root": Case(leaf(BETWEEN, HOST, chain=[BETWEEN, ROOT]), ACCEPTED),
    "chain to another root": Case(leaf(BETWEEN, HOST, chain=[BETWEEN, ROOT]), "tried STORE", store=OTHER.pem),
    "chain over one that may not issue": Case(leaf(POWERLESS, HOST, chain=[POWERLESS]), "invalid CA certificate"),
    "chain over an expired one": Case(
        leaf(EXPIRED, HOST, chain=[EXPIRED]), f"certificate has expired (valid until {from_now(-1)})"
    ),
    "store with the one between alone": Case(
        leaf(BETWEEN, HOST), "unable to get issuer certificate", store=BETWEEN.pem
    ),
    "for clients": Case(leaf(ROOT, HOST, purpose=CLIENT), "certificate purpose"),
    "weak key": Case(leaf(ROOT, HOST, key=weak_key()), "EE certificate key too weak"),
    # Names
    "another name": Case(named("other.example", "127.0.0.1"), f"{MISMATCH} (it is for other.example, 127.0.0.1)"),
    "a part of the name": Case(named("example"), MISMATCH),
    "a name below": Case(named("a." + HOST), MISMATCH),
    "no name": Case(named(), MISMATCH),
    "a name in capitals": Case(GOOD, ACCEPTED, "NAME.Example"),
    "a name with a dot at its end": Case(GOOD, MISMATCH, HOST + "."),
    "wildcard": Case(named("*.name.example"), ACCEPTED, "a.name.example"),
    "wildcard for two labels": Case(named("*.name.example"), MISMATCH, "b.a.name.example"),
    "wildcard below a top-level domain": Case(named("*.example"), MISMATCH),
    "wildcard for no label": Case(named("*.name.example"), MISMATCH),
    "wildcard in a label": Case(named("n*e.example"), MISMATCH),
    "wildcard below a label": Case(named("name.*"), MISMATCH),
    "wildcard alone": Case(named("*"), MISMATCH),
    "name in the subject alone": Case(named(common_name=HOST), ACCEPTED),
    "name in the subject beside another": Case(named("other.example", common_name=HOST), MISMATCH),
    "IPv4 address": Case(named("127.0.0.1"), ACCEPTED, "127.0.0.1"),
    "another IPv4 address": Case(named("127.0.0.1"), "mismatch", "127.0.0.2"),
    "IPv6 address": Case(named("::1"), ACCEPTED, "::1"),
    "IPv6 address, written another way": Case(named("::1"), ACCEPTED, "0:0:0:0:0:0:0:1"),
    "address as a name": Case(named("dns:127.0.0.1"), "mismatch", "127.0.0.1"),
    "address in the subject alone": Case(named(common_name="127.0.0.1"), "mismatch", "127.0.0.1"),
    "name for an address": Case(named("127.0.0.1"), MISMATCH),
    # What is no hostname
    "missing": Case(GOOD, NO_NAME, None),
    "empty": Case(GOOD, NO_NAME, ""),
    "not ASCII": Case(GOOD, NO_NAME, "näme.example"),
    "not ASCII, for the name as IDNA": Case(named("xn--nme-qla.example"), NO_NAME, "näme.example"),
    "lone surrogate": Case(GOOD, NO_NAME, "\udce9.example"),
    "dot alone": Case(GOOD, FAILED.format("invalid hostname"), "."),
    "dot at the start": Case(GOOD, FAILED.format("invalid hostname"), ".name.example"),
    "NUL": Case(GOOD, NO_NAME, "name.example\0.other"),
}

VERSIONS = {
    "TLSv1 to TLSv1": FAILED.format(""),
    "TLSv1_1 to TLSv1_1": FAILED.format(""),
    "TLSv1_2 to TLSv1_2": ACCEPTED,
    "TLSv1_3 to TLSv1_3": ACCEPTED,
    "TLSv1 to TLSv1_3": ACCEPTED,
}
"""The least and the greatest version that a server has, and what comes of that."""
MODERN = "TLSv1_2 to TLSv1_3"


def context(file: Path, certificate: Certificate, versions: str = MODERN) -> ssl.SSLContext:
    """A server's; its certificate goes through `file`."""
    file.write_text(certificate.server_pem)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("ALL:@SECLEVEL=0")  # old versions, weak keys
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version, made.maximum_version = (ssl.TLSVersion[version] for version in versions.split(" to "))
    made.load_cert_chain(file)
    return made
