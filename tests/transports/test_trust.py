"""Which authorities are trusted, and what is reported of a trust store that is unusable."""

from __future__ import annotations

import json
import os
import socket
from contextlib import contextmanager
from select import select
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.harness.entrypoint import KEY_ID, SECRET_KEY
from tests.harness.http_server import by_length, http_server, listening, secret
from tests.transports.runs import context, messages, run

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.harness.entrypoint import Ended, Entrypoint
    from tests.harness.http_server import Reply, Request
    from tests.transports.conftest import Authority

DAMAGED = "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----\n"
WELL = secret('{"key": "value"}')


@pytest.fixture
def stores(authority: Authority, tmp_path: Path) -> Path:
    """A folder of trust stores."""
    (tmp_path / "good.pem").symlink_to(authority.file)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    (tmp_path / "damaged.pem").write_text(authority.file.read_text() + DAMAGED)
    (tmp_path / "text.pem").write_text("no certificate")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/12345678.0").symlink_to(authority.file)
    (tmp_path / "folder/00000000.0").symlink_to("/nonexistent")
    return tmp_path


def loaded(
    entrypoint: Entrypoint, transport: str, authority: Authority, stores: Path, variables: Mapping[str, str]
) -> tuple[Ended, str]:
    """A run against a server that `authority` vouches for, and the server's address."""
    environ: dict[str, Any] = {name: value.format(stores) for name, value in variables.items()}
    with http_server(lambda _: WELL, tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        return run(entrypoint, transport, server.url, **environ), server.address


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_CA_BUNDLE": "{}/good.pem"},
        {"SSL_CERT_FILE": "{}/good.pem"},
        {"SSL_CERT_FILE": "{}/good.pem", "REQUESTS_CA_BUNDLE": " "},  # which botocore would refuse
        {"SSL_CERT_DIR": "{}/folder"},
        {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": "/nonexistent:{}/folder"},
    ],
    ids=" ".join,
)
def test_a_store_is_trusted(
    entrypoint: Entrypoint, transport: str, authority: Authority, stores: Path, variables: dict[str, str]
) -> None:
    ended, _ = loaded(entrypoint, transport, authority, stores, variables)
    assert (ended.environ.get("key"), ended.err) == ("value", "")


UNTRUSTED = (
    "the certificate of HOST is not trusted: unable to get local issuer certificate (tried {}); "
    "set AWS_CA_BUNDLE to a PEM file with its issuer, or add it to the image's store"
)
ARCHIVE = UNTRUSTED.format("the archive's bundle")
UNREADABLE = "AWS_CA_BUNDLE=STORES/{} cannot be read ({}); set it to a PEM file"
INVALID = "AWS_CA_BUNDLE=STORES/{}: no valid certificates; set AWS_CA_BUNDLE to a valid PEM file"
REPORTS: dict[str, tuple[dict[str, str], str]] = {
    "system_other": ({"SSL_CERT_FILE": "{}/other.pem"}, UNTRUSTED.format("the system's store, the archive's bundle")),
    "system_missing": ({"SSL_CERT_FILE": "{}/missing.pem"}, ARCHIVE),
    "system_not_pem": ({"SSL_CERT_FILE": "{}/text.pem"}, ARCHIVE),
    "system_damaged": ({"SSL_CERT_FILE": "{}/damaged.pem"}, ARCHIVE),
    "bundle_alone": (
        {"AWS_CA_BUNDLE": "{}/other.pem", "SSL_CERT_FILE": "{}/good.pem"},
        UNTRUSTED.format("AWS_CA_BUNDLE=STORES/other.pem"),
    ),
    "bundle_missing": (
        {"AWS_CA_BUNDLE": "{}/missing.pem"},
        UNREADABLE.format("missing.pem", "No such file or directory"),
    ),
    "bundle_pipe": ({"AWS_CA_BUNDLE": "{}/pipe"}, UNREADABLE.format("pipe", "not a regular file")),
    "bundle_not_pem": ({"AWS_CA_BUNDLE": "{}/text.pem"}, INVALID.format("text.pem")),
    "bundle_damaged": ({"AWS_CA_BUNDLE": "{}/damaged.pem"}, INVALID.format("damaged.pem")),
}


@pytest.mark.parametrize("case", REPORTS)
def test_the_stores_that_were_tried_are_reported(
    entrypoint: Entrypoint, transport: str, authority: Authority, stores: Path, case: str
) -> None:
    variables, report = REPORTS[case]
    ended, host = loaded(entrypoint, transport, authority, stores, variables)
    actual = messages(ended, host)["name"].replace(str(stores), "STORES")
    assert (ended.code, actual) == (125, report)


def test_an_unknown_authority_is_refused_where_no_store_is_named(
    entrypoint: Entrypoint, transport: str, authority: Authority, stores: Path
) -> None:
    ended, host = loaded(entrypoint, transport, authority, stores, {})
    refusal, _, _ = messages(ended, host)["name"].partition(" (tried ")  # which of its places exist is the machine's
    assert (ended.code, refusal) == (
        125,
        "the certificate of HOST is not trusted: unable to get local issuer certificate",
    )


# -- Only botocore: the profile's ca_bundle, proxies, the source of the credentials


def profile(stores: Path, bundle: str) -> dict[str, Any]:
    """Variables that name a profile with this ca_bundle."""
    (stores / "config").write_text(f"[default]\nca_bundle = {stores}/{bundle}\n")
    return {"AWS_CONFIG_FILE": f"{stores}/config"}


def test_the_profiles_ca_bundle_is_trusted(entrypoint: Entrypoint, authority: Authority, stores: Path) -> None:
    ended, _ = loaded(entrypoint, "botocore", authority, stores, profile(stores, "good.pem"))
    assert (ended.environ.get("key"), ended.err) == ("value", "")


PROFILES = "the profile's ca_bundle"
OF_PROFILES = {
    "other.pem": UNTRUSTED.format(PROFILES),
    "missing.pem": f"{PROFILES} cannot be read (No such file or directory); set it to a PEM file",
    "damaged.pem": f"{PROFILES}: no valid certificates; set AWS_CA_BUNDLE to a valid PEM file",
}


@pytest.mark.parametrize("bundle", OF_PROFILES)
def test_a_profiles_ca_bundle_that_is_unusable_is_reported(
    entrypoint: Entrypoint, authority: Authority, stores: Path, bundle: str
) -> None:
    ended, host = loaded(entrypoint, "botocore", authority, stores, profile(stores, bundle))
    assert (ended.code, messages(ended, host)["name"]) == (125, OF_PROFILES[bundle])


@contextmanager
def tunnels(tls: ssl.SSLContext) -> Iterator[str]:
    """The URL of a proxy that is reached over TLS and opens tunnels to where it is asked to."""

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as client:
            _, target, _ = client.recv(65_536).decode().split(" ", 2)
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                while True:
                    for source in select([client, server], [], [])[0]:
                        data = source.recv(65_536)
                        if not data:
                            return
                        (server if source is client else client).sendall(data)

    with listening(serve) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.mark.parametrize("named", ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "profile"])
def test_a_proxy_and_the_host_behind_it_are_verified_against_the_same_stores(
    entrypoint: Entrypoint, authority: Authority, stores: Path, named: str
) -> None:
    variables = profile(stores, "good.pem") if named == "profile" else {named: "{}/good.pem"}
    with tunnels(context(authority.ca.issue_cert("127.0.0.1"))) as proxy:
        ended, _ = loaded(entrypoint, "botocore", authority, stores, {**variables, "https_proxy": proxy})
    assert (ended.environ.get("key"), ended.err) == ("value", "")


@pytest.mark.parametrize(
    ("issuer", "host", "variable", "report"),
    [
        ("other", "127.0.0.1", "http_proxy", "unable to get local issuer certificate (tried AWS_CA_BUNDLE={})"),
        ("authority", "127.0.0.2", "HTTP_PROXY", "hostname mismatch (it is for 127.0.0.2)"),
    ],
    ids=["another authority", "another host"],
)
def test_a_proxy_with_a_certificate_of_another_is_told_nothing(
    entrypoint: Entrypoint, authority: Authority, issuer: str, host: str, variable: str, report: str
) -> None:
    certificate = (authority.ca if issuer == "authority" else trustme.CA()).issue_cert(host)
    with http_server(lambda _: WELL, tls=context(certificate)) as proxy:
        more: dict[str, Any] = {"AWS_CA_BUNDLE": str(authority.file), variable: proxy.url}
        ended = run(entrypoint, "botocore", "http://secrets.example", **more)
    message, _, _ = messages(ended, proxy.address)["name"].partition(";")
    expected = (
        f"the certificate of HOST (the proxy that {variable} names) is not trusted: {report.format(authority.file)}"
    )
    assert (ended.code, message, proxy.requests) == (125, expected, [])


def test_the_source_of_the_credentials_is_verified_against_the_same_stores(
    entrypoint: Entrypoint, authority: Authority
) -> None:
    fields = {"AccessKeyId": KEY_ID, "SecretAccessKey": SECRET_KEY, "Token": "t", "Expiration": "2099-01-01T00:00:00Z"}

    def answer(request: Request) -> Reply:
        return by_length(json.dumps(fields).encode()) if request.method == "GET" else WELL

    with http_server(answer, tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        more: dict[str, Any] = {
            "AWS_CA_BUNDLE": str(authority.file),
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{server.url}/credentials",
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
        }
        ended = run(entrypoint, "botocore", server.url, **more)
    assert (ended.environ.get("key"), ended.err) == ("value", "")
