"""Which trust stores count, in which order, and what of a damaged one is left. Real files and certificates."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme

from run_lambda_entrypoint.aws import trust
from run_lambda_entrypoint.errors import EntrypointError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTHORITY, OTHER = (trustme.CA(organization_name=name) for name in ("one", "other"))
PEM, OTHER_PEM = (ca.cert_pem.bytes() for ca in (AUTHORITY, OTHER))
DAMAGED = b"-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----\n"


def system(**environ: str) -> set[bytes]:
    """The certificates, in DER, of what a system with these variables trusts."""
    [read] = [store.read for store in trust.stores(environ, amazon=False) if store.name == "the system's store"]
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    text = read().decode()
    if text.strip():
        made.load_verify_locations(cadata=text)
    return set(made.get_ca_certs(binary_form=True))


def der(*pems: bytes) -> set[bytes]:
    return {ssl.PEM_cert_to_DER_cert(pem.decode()) for pem in pems}


def written(path: Path, content: bytes) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return str(path)


# -- Order


FIRST, OTHERS = "Amazon Root CA 1", "Amazon's other roots"
SYSTEM, ARCHIVE = "the system's store", "the archive's bundle"
BUNDLE = {"AWS_CA_BUNDLE": "/bundle.pem", "SSL_CERT_FILE": "/store.pem"}


@pytest.mark.parametrize(
    ("environ", "amazon", "expected"),
    [
        pytest.param({"SSL_CERT_FILE": "/store.pem"}, True, [FIRST, OTHERS, SYSTEM, ARCHIVE], id="Amazon's host"),
        pytest.param({"AWS_CA_BUNDLE": ""}, False, [SYSTEM, ARCHIVE], id="any other host"),
        pytest.param(BUNDLE, True, ["AWS_CA_BUNDLE=/bundle.pem"], id="AWS_CA_BUNDLE for Amazon's host"),
        pytest.param(BUNDLE, False, ["AWS_CA_BUNDLE=/bundle.pem"], id="AWS_CA_BUNDLE for any other host"),
    ],
)
def test_stores_are_tried_in_their_order(environ: dict[str, str], amazon: bool, expected: list[str]) -> None:
    assert [store.name for store in trust.stores(environ, amazon=amazon)] == expected


@pytest.mark.parametrize(
    ("environ", "expected"), [({}, "the profile's ca_bundle"), (BUNDLE, "AWS_CA_BUNDLE=/bundle.pem")], ids=str
)
def test_a_profiles_bundle_is_the_only_store_unless_the_variable_is_set(environ: dict[str, str], expected: str) -> None:
    assert [store.name for store in trust.stores(environ, amazon=True, ca_bundle="/profile.pem")] == [expected]


# -- The system's store


def test_file_and_folders_count_together(tmp_path: Path) -> None:
    file = written(tmp_path / "store.pem", PEM)
    written(tmp_path / "folder/12345678.0", OTHER_PEM)
    assert system(SSL_CERT_FILE=file, SSL_CERT_DIR=f"/nonexistent::{tmp_path}/folder") == der(PEM, OTHER_PEM)


def test_a_folder_alone_stands_for_the_distributions_places(tmp_path: Path) -> None:
    assert system(SSL_CERT_DIR=str(tmp_path)) == set()


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/nonexistent"), os.mkdir, os.mkfifo])
def test_what_is_not_a_file_in_a_folder_is_skipped(tmp_path: Path, make: Callable[[Path], None]) -> None:
    written(tmp_path / "12345678.0", PEM)
    make(tmp_path / "00000000.0")
    make(tmp_path / "87654321.0")
    assert system(SSL_CERT_DIR=str(tmp_path)) == der(PEM)


@pytest.mark.parametrize("name", ["12345678", "12345678.r0", "1234567.0", "authority.pem", "README"])
def test_of_a_folder_only_names_of_hashes_count(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, PEM)
    assert system(SSL_CERT_DIR=str(tmp_path)) == set()


def test_several_certificates_of_one_hash_count(tmp_path: Path) -> None:
    for number in range(11):
        written(tmp_path / f"12345678.{number}", OTHER_PEM if number == 10 else PEM)
    assert system(SSL_CERT_DIR=str(tmp_path)) == der(PEM, OTHER_PEM)


def test_a_pipe_as_the_systems_store_is_skipped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert system(SSL_CERT_FILE=str(tmp_path / "pipe")) == set()


# -- What can be read


@pytest.mark.parametrize("content", [b"", b"no certificate", DAMAGED, PEM + DAMAGED, DAMAGED + PEM])
def test_a_damaged_store_is_none(content: bytes) -> None:
    assert trust.context(content) is None


@pytest.mark.parametrize("comment", [b"# a comment\n", "é, in UTF-8\n".encode(), b"\xe9, in Latin-1\n"])
def test_words_between_certificates_do_no_harm(comment: bytes) -> None:
    context = trust.context(comment + PEM + comment + OTHER_PEM)
    assert context is not None
    assert set(context.get_ca_certs(binary_form=True)) == der(PEM, OTHER_PEM)


def test_what_is_verified_has_the_right_name_and_tls_1_2_or_later() -> None:
    context = trust.context(PEM)
    assert context is not None
    assert (context.check_hostname, context.verify_mode, context.minimum_version) == (
        True,
        ssl.CERT_REQUIRED,
        ssl.TLSVersion.TLSv1_2,
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing", "No such file or directory"), ("folder", "not a regular file"), ("pipe", "not a regular file")],
)
def test_an_aws_ca_bundle_that_is_not_a_file_is_an_error(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    [store] = trust.stores({"AWS_CA_BUNDLE": f"{tmp_path}/{name}"}, amazon=True)
    with pytest.raises(EntrypointError, match=rf"{name} cannot be read \({reason}\)"):
        store.read()
