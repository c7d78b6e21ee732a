"""Where /proc is not mounted, or memfd_create makes no file in memory, secrets are fetched all the same."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import WITHOUT_PROC, Entrypoint, Words, aws, permitted
from tests.harness.http_server import http_server, secret
from tests.transports.runs import context

if TYPE_CHECKING:
    from tests.harness.entrypoint import Ended
    from tests.transports.conftest import Authority

STRACE = shutil.which("strace") or ""
WITHOUT_MEMFD: Words = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", "inject=memfd_create:error=ENOSYS"]


def fetched(entrypoint: Entrypoint, transport: str, authority: Authority, before: Words) -> Ended:
    """A run that prints what a secret set which was fetched by TLS."""
    with http_server(lambda _: secret('{"key": "value"}'), tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        more = {"LAMBDA_ENV_TRANSPORT": transport, "SSL_CERT_FILE": str(authority.file)}
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, **more)
        return entrypoint("printenv", "key", environ=environ, before=before)


@pytest.mark.skipif(not permitted(WITHOUT_PROC), reason="no mount namespace is permitted here")
def test_a_secret_is_fetched_by_tls_where_proc_is_not_mounted(
    entrypoint: Entrypoint, transport: str, authority: Authority
) -> None:
    assert fetched(entrypoint, transport, authority, WITHOUT_PROC) == (0, b"value\n", "")


@pytest.mark.skipif(not permitted(WITHOUT_MEMFD), reason="strace is not there or may not")
def test_a_secret_is_fetched_by_tls_where_no_file_can_be_made_in_memory(
    entrypoint: Entrypoint, transport: str, authority: Authority
) -> None:
    assert fetched(entrypoint, transport, authority, WITHOUT_MEMFD) == (0, b"value\n", "")
