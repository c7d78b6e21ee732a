"""Which authorities are trusted, and what is reported of a trust store that is unusable."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.harness.http_server import http_server, secret
from tests.transports.runs import context, messages, run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.harness.entrypoint import Ended, Entrypoint
    from tests.transports.conftest import Authority

DAMAGED = "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----\n"


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
    with http_server(lambda _: secret('{"key": "value"}'), tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        return run(entrypoint, transport, server.url, **environ), server.address


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_CA_BUNDLE": "{}/good.pem"},
        {"SSL_CERT_FILE": "{}/good.pem"},
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
