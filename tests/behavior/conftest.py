"""What several of these tests share: either transport, a function with one secret, and a server that is silent."""

from collections.abc import Iterator

import pytest

from tests.harness.entrypoint import TRANSPORTS
from tests.harness.http_server import MUTE, Reply, Server, http_server, secret


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Either transport."""
    return str(request.param)


@pytest.fixture
def server() -> Iterator[Server]:
    """A Secrets Manager whose every secret is {"A": "1"}."""
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        yield server


@pytest.fixture
def silent() -> Iterator[Server]:
    """A server that keeps what arrives and never answers."""
    with http_server(lambda _: Reply(b"", MUTE)) as server:
        yield server
