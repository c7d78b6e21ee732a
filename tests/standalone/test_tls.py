"""TLS as the executable's own OpenSSL has it: the verdicts of the conformance tests, by fetching a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.cases import ACCEPTED, CERTIFICATES, FAILED, GOOD, HOST, NO_NAME, STORE, VERSIONS, context
from tests.harness.http_server import CLOSE, Reply, by_close, http_server, secret_body
from tests.standalone.isolation import AUTHORITY
from tests.standalone.runs import VALUE, fetch

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tests.harness.entrypoint import Ended
    from tests.standalone.isolation import Root

# The others are not the host of a URL, or not as they stand: botocore leaves out a dot at the end.
IN_URLS = [
    name
    for name, case in CERTIFICATES.items()
    if case.expected not in (NO_NAME, FAILED.format("invalid hostname")) and not str(case.host).endswith(".")
]
REPLY = by_close(secret_body(SecretString='{"KEY": "value"}'))


def fetched(
    root: Root, transport: str, tls: ssl.SSLContext, *, host: str = HOST, store: str = STORE, reply: Reply = REPLY
) -> Ended:
    """How a run ends that fetches a secret from a server with this TLS, which is called `host`."""
    is_address = host[0] in "0123456789:"
    root.write(AUTHORITY, store)
    root.write("/etc/hosts", f"127.0.0.1 {host} {host.lower()}\n")
    with http_server(lambda _: reply, tls=tls, host=host if is_address else "127.0.0.1") as server:
        name = f"[{host}]" if ":" in host else host
        return fetch(root, f"https://{name}:{server.port}", transport, LAMBDA_ENV_TIMEOUT_SECONDS="8")


def judged(ended: Ended, expected: str) -> None:
    """It has the secret where the conformance tests read all bytes; otherwise it says why not."""
    if expected == ACCEPTED:
        assert ended == VALUE
    else:
        reason = expected.replace("STORE", f"AWS_CA_BUNDLE={AUTHORITY}").replace("HOST failed: ", "")
        assert (ended.code, ended.out, reason in ended.err) == (125, b"", True), ended.err


@pytest.mark.parametrize("name", IN_URLS)
def test_a_certificate_is_judged_as_elsewhere(root: Root, transport: str, tmp_path: Path, name: str) -> None:
    case = CERTIFICATES[name]
    tls = context(tmp_path / "server.pem", case.certificate)
    judged(fetched(root, transport, tls, host=str(case.host), store=case.store), case.expected)


@pytest.mark.parametrize("versions", VERSIONS)
def test_a_version_of_tls_is_judged_as_elsewhere(root: Root, transport: str, tmp_path: Path, versions: str) -> None:
    judged(fetched(root, transport, context(tmp_path / "server.pem", GOOD, versions)), VERSIONS[versions])


@pytest.mark.parametrize(("then", "expected"), [(CLOSE, ACCEPTED), ("close without TLS's end", "was truncated")])
def test_a_reply_that_ends_with_the_connection_needs_tls_own_end(
    root: Root, tmp_path: Path, then: str, expected: str
) -> None:
    """Python's own ssl, which botocore uses, leaves that to who reads the JSON."""
    tls = context(tmp_path / "server.pem", GOOD)
    judged(fetched(root, "direct", tls, reply=Reply(REPLY.raw, then)), expected)
