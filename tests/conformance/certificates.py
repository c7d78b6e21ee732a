"""Certificates that trustme does not make: too old, for another purpose, with a weak key, without a name."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.now(timezone.utc)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class Certificate(NamedTuple):
    """A certificate, its key, and those that a server sends with it."""

    own: x509.Certificate
    key: Key
    chain: Sequence[x509.Certificate] = ()

    @property
    def pem(self) -> str:
        return self.own.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.own.public_bytes(Encoding.DER)

    @property
    def server_pem(self) -> str:
        """What ssl.SSLContext.load_cert_chain takes."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        return key + self.pem + "".join(each.public_bytes(Encoding.PEM).decode() for each in self.chain)


def authority(
    name: str, issuer: Certificate | None = None, *, may_issue: bool = True, days: tuple[int, int] = (-365, 365)
) -> Certificate:
    """One that issues others; `may_issue` is whether it says so itself, `days` are from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, issuer, days)
    builder = builder.add_extension(x509.BasicConstraints(may_issue, None), critical=True)
    return Certificate(builder.sign(issuer.key if issuer else key, SHA256()), key)


def leaf(
    issuer: Certificate | None,
    *names: str,
    common_name: str = "server",
    days: tuple[int, int] = (-1, 1),
    purpose: x509.ObjectIdentifier = SERVER,
    key: Key | None = None,
    chain: Sequence[Certificate] = (),
) -> Certificate:
    """A server's, for DNS names and addresses; without an `issuer` its own."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = _builder(common_name, key, issuer, days)
    builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_name, names))), critical=False)
    signed = builder.sign(issuer.key if issuer else key, SHA256())
    return Certificate(signed, key, [each.own for each in chain])


def weak_key() -> Key:
    """Of 1,024 bits: less than OpenSSL's security level 2 allows, which CPython asks for."""
    return rsa.generate_private_key(65537, 1024)  # noqa: S505


def _builder(name: str, key: Key, issuer: Certificate | None, days: tuple[int, int]) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.own.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.GeneralName:
    if text.startswith("dns:"):
        return x509.DNSName(text[4:])
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
