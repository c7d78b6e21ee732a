"""SSLKEYLOGFILE is the command's: whoever speaks TLS here writes no keys to it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.entrypoint import Entrypoint
from tests.harness.http_server import CLOSE, Reply, http_server, secret
from tests.transports.runs import context, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.transports.conftest import Authority


class Unisolated(Entrypoint):
    """Started as `python FILE`: Python's modules then read the variable themselves."""

    @property
    def words(self) -> list[str]:
        return [sys.executable, str(self.archive)]


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(Entrypoint, id="-IS"),
        pytest.param(
            Unisolated, id="python FILE", marks=pytest.mark.archive_only("is never started by another interpreter")
        ),
    ],
)
def test_no_keys_are_written_and_the_command_gets_the_variable(
    entrypoint: Entrypoint, transport: str, authority: Authority, tmp_path: Path, kind: type[Entrypoint]
) -> None:
    more: dict[str, Any] = {"AWS_CA_BUNDLE": str(authority.file), "SSLKEYLOGFILE": f"{tmp_path}/keys"}
    with http_server(lambda _: secret('{"key": "value"}'), tls=context(authority.ca.issue_cert("127.0.0.1"))) as server:
        ended = run(kind(entrypoint.archive), transport, server.url, **more)
    assert (ended.code, ended.environ["SSLKEYLOGFILE"], (tmp_path / "keys").exists()) == (0, f"{tmp_path}/keys", False)


def test_no_keys_are_written_for_a_proxy_that_is_reached_over_tls(
    entrypoint: Entrypoint, authority: Authority, tmp_path: Path
) -> None:
    """urllib3 makes the context for it, and looks for the variable with -I too."""
    tls = context(authority.ca.issue_cert("127.0.0.1"))
    with http_server(lambda _: Reply(b"no HTTP\r\n", CLOSE), tls=tls) as proxy:
        more: dict[str, Any] = {
            "https_proxy": proxy.url,
            "AWS_CA_BUNDLE": str(authority.file),
            "SSLKEYLOGFILE": f"{tmp_path}/keys",
        }
        ended = run(entrypoint, "botocore", "https://secrets.example", **more)
        methods = [request.method for request in proxy.requests]
    assert (ended.code, methods, (tmp_path / "keys").exists()) == (125, ["CONNECT"], False), ended.err
