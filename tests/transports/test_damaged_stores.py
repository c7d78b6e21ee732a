"""A trust store of which a part cannot be read does not spoil the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.http_server import http_server, secret
from tests.transports.runs import context, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.entrypoint import Ended, Entrypoint
    from tests.harness.http_server import Reply, Request
    from tests.transports.conftest import Authority

DAMAGED = "-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----\n"


def well(_: Request) -> Reply:
    return secret('{"key": "value"}')


def started(entrypoint: Entrypoint, transport: str, authority: Authority, **more: Any) -> Ended:
    """A run against a server that `authority` vouches for."""
    with http_server(well, tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        return run(entrypoint, transport, server.url, **more)


@pytest.fixture
def folder(authority: Authority, tmp_path: Path) -> Path:
    """A folder of authorities with a dangling link in it."""
    (tmp_path / "12345678.0").symlink_to(authority.file)
    (tmp_path / "00000000.0").symlink_to("/nonexistent")
    return tmp_path


def test_a_dangling_link_in_a_folder_of_authorities_is_skipped(
    entrypoint: Entrypoint, transport: str, authority: Authority, folder: Path
) -> None:
    ended = started(entrypoint, transport, authority, SSL_CERT_DIR=str(folder))
    assert (ended.environ.get("key"), ended.err) == ("value", "")


def test_folder_and_file_of_authorities_count_and_so_do_several_folders(
    entrypoint: Entrypoint, transport: str, authority: Authority, folder: Path
) -> None:
    more: dict[str, Any] = {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": f"/nonexistent:{folder}"}
    ended = started(entrypoint, transport, authority, **more)
    assert (ended.environ.get("key"), ended.err) == ("value", "")


def test_a_damaged_system_store_leaves_the_archives_bundle(
    entrypoint: Entrypoint, transport: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "store.pem").write_text(authority.file.read_text() + DAMAGED)
    ended = started(entrypoint, transport, authority, SSL_CERT_FILE=str(tmp_path / "store.pem"))
    words = "is not trusted: unable to get local issuer certificate (tried the archive's bundle)"
    assert (ended.code, words in ended.err) == (125, True), ended.err


def test_a_damaged_aws_ca_bundle_is_named(
    entrypoint: Entrypoint, transport: str, authority: Authority, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(authority.file.read_text() + DAMAGED)
    ended = started(entrypoint, transport, authority, AWS_CA_BUNDLE=str(bundle))
    words = f"AWS_CA_BUNDLE={bundle}: no valid certificates; set AWS_CA_BUNDLE to a valid PEM file"
    assert (ended.code, words in ended.err) == (125, True), ended.err
