"""The executable needs nothing of an image: no library, no /proc, no /dev, no writable folder, no user, no shell.

What it finds is itself, the command, /etc/hosts and /etc/resolv.conf, and a file of certificates.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.conformance import certificates
from tests.harness.entrypoint import PLAIN, aws
from tests.harness.http_server import http_server, secret
from tests.standalone.isolation import AUTHORITY, BUSYBOX
from tests.standalone.name_server import name_server
from tests.standalone.runs import HOST, VALUE, fetch, served, serving

if TYPE_CHECKING:
    from tests.conformance.certificates import Certificate
    from tests.standalone.isolation import Root

RESOLVER = "nameserver 127.0.0.1\n"


def test_without_a_reference_the_command_gets_the_environment_as_it_is(root: Root) -> None:
    assert root.run(BUSYBOX, "env", environ={"A": "1", "B": "2"}) == (0, b"A=1\nB=2\n", "")


def test_the_command_gets_its_secret_and_nothing_else_more(root: Root, transport: str) -> None:
    with http_server(lambda _: secret('{"KEY": "value"}')) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        ended = root.run(BUSYBOX, "env", environ=environ)

    variables = dict(line.split("=", 1) for line in ended.out.decode().splitlines())
    assert (variables, ended.code, ended.err) == ({**environ, "KEY": "value"}, 0, "")


def test_the_root_is_as_empty_as_it_is_meant_to_be(root: Root) -> None:
    ended = root.run(BUSYBOX, "find", "/", environ=PLAIN)

    assert sorted(ended.out.decode().split()) == [
        "/", "/authority.pem", "/busybox", "/etc", "/etc/hosts", "/etc/resolv.conf", "/run-lambda-entrypoint",
    ]  # fmt: skip


def test_the_root_is_read_only(root: Root) -> None:
    assert "Read-only file system" in root.run(BUSYBOX, "touch", "/busybox", environ=PLAIN).err


def test_the_executable_runs_as_lambdas_user(root: Root) -> None:
    assert root.run(BUSYBOX, "id", environ=PLAIN).out == b"uid=993 gid=993\n"


def test_it_finds_itself_where_it_was_started_by_a_relative_path(root: Root) -> None:
    """Only the archive inside has the licenses."""
    ended = root.run(BUSYBOX, "sh", "-c", "exec ./run-lambda-entrypoint --licenses", environ=PLAIN)

    assert (ended.code, "botocore" in ended.out.decode(), ended.err) == (0, True, "")


def test_a_secret_is_fetched_by_tls(root: Root, transport: str, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        assert fetch(root, url, transport) == VALUE


def test_a_certificate_of_an_unknown_authority_is_refused(root: Root, transport: str, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        root.write(AUTHORITY, certificates.authority("another").pem)
        ended = fetch(root, url, transport)

    assert (ended.code, ended.out, "is not trusted" in ended.err) == (125, b"", True), ended.err


def test_the_archives_own_bundle_is_there_and_refuses_a_certificate(
    root: Root, transport: str, ca: Certificate
) -> None:
    with served(ca, "127.0.0.1") as url:
        ended = fetch(root, url, transport, AWS_CA_BUNDLE="")

    assert (ended.code, ended.out, "is not trusted" in ended.err) == (125, b"", True), ended.err


def test_a_certificate_for_another_name_is_refused(root: Root, transport: str, ca: Certificate) -> None:
    with served(ca, "127.0.0.1", certified="other.test") as url:
        ended = fetch(root, url, transport)

    assert (ended.code, ended.out, "hostname mismatch" in ended.err) == (125, b"", True), ended.err


def test_an_ipv6_address_in_the_url(root: Root, transport: str, ca: Certificate) -> None:
    with served(ca, "::1") as url:
        assert (url.startswith("https://[::1]:"), fetch(root, url, transport)) == (True, VALUE)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_name_in_the_hosts_file(root: Root, transport: str, ca: Certificate, address: str) -> None:
    root.write("/etc/hosts", f"{address} {HOST}\n")
    with served(ca, address, HOST) as url:
        assert fetch(root, url, transport) == VALUE


def test_of_two_addresses_in_the_hosts_file_the_one_that_answers_is_used(
    root: Root, transport: str, ca: Certificate
) -> None:
    root.write("/etc/hosts", f"::1 {HOST}\n127.0.0.1 {HOST}\n")
    with served(ca, "127.0.0.1", HOST) as url:
        assert fetch(root, url, transport) == VALUE


@pytest.mark.parametrize(("kind", "address"), [("A", "127.0.0.1"), ("AAAA", "::1")])
def test_a_name_with_one_record(root: Root, transport: str, ca: Certificate, kind: str, address: str) -> None:
    root.write("/etc/resolv.conf", RESOLVER)
    with name_server({HOST: {kind: address}}), served(ca, address, HOST) as url:
        assert fetch(root, url, transport) == VALUE


def test_a_truncated_answer_is_asked_for_again_over_tcp(root: Root, transport: str, ca: Certificate) -> None:
    root.write("/etc/resolv.conf", RESOLVER)
    records = {HOST: {"A": "127.0.0.1"}}
    with name_server(records, truncating=True) as questions, served(ca, "127.0.0.1", HOST) as url:
        ended = fetch(root, url, transport)

    assert (ended, {question.protocol for question in questions}) == (VALUE, {"UDP", "TCP"})


def test_a_name_server_that_is_silent_is_passed_over(root: Root, transport: str, ca: Certificate) -> None:
    root.write("/etc/resolv.conf", f"nameserver 127.0.0.2\n{RESOLVER}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, name_server({HOST: {"A": "127.0.0.1"}}):
        silent.bind(("127.0.0.2", 53))
        with served(ca, "127.0.0.1", HOST) as url:
            assert fetch(root, url, transport) == VALUE


def test_a_name_server_that_is_not_there_is_passed_over(root: Root, transport: str, ca: Certificate) -> None:
    root.write("/etc/resolv.conf", f"nameserver 127.0.0.2\n{RESOLVER}")
    with name_server({HOST: {"A": "127.0.0.1"}}), served(ca, "127.0.0.1", HOST) as url:
        assert fetch(root, url, transport) == VALUE


def test_a_short_name_is_looked_for_in_the_search_domains(root: Root, transport: str, ca: Certificate) -> None:
    root.write("/etc/resolv.conf", f"search first.test second.test\n{RESOLVER}")
    records = {"api.second.test": {"A": "127.0.0.1"}}
    with name_server(records), served(ca, "127.0.0.1", "api") as url:
        assert fetch(root, url, transport) == VALUE


def test_a_name_that_does_not_exist_is_reported(root: Root, transport: str) -> None:
    root.write("/etc/resolv.conf", RESOLVER)
    with name_server({}):
        ended = fetch(root, f"https://{HOST}:1", transport, LAMBDA_ENV_TIMEOUT_SECONDS="5")

    assert (ended.code, ended.out, f"the name of {HOST} could not be resolved" in ended.err) == (125, b"", True)


def test_a_certificate_that_is_valid_until_after_2050(root: Root, transport: str) -> None:
    """Past 2038, and past the last year that X.509 writes in two digits."""
    issuer = certificates.authority("lasting", days=(-1, 50 * 365))
    root.write(AUTHORITY, issuer.pem)
    with serving(certificates.leaf(issuer, "127.0.0.1", days=(-1, 40 * 365)), "127.0.0.1") as server:
        assert fetch(root, server.url, transport) == VALUE


def test_a_certificate_that_is_not_valid_before_2050_is_refused(root: Root, transport: str) -> None:
    """With a time of 32 bits it would have become valid in 1914."""
    issuer = certificates.authority("lasting", days=(-1, 50 * 365))
    root.write(AUTHORITY, issuer.pem)
    with serving(certificates.leaf(issuer, "127.0.0.1", days=(30 * 365, 40 * 365)), "127.0.0.1") as server:
        ended = fetch(root, server.url, transport)

    assert (ended.code, ended.out, "not yet valid" in ended.err) == (125, b"", True), ended.err
