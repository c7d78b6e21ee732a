"""What these tests share: both transports, and an authority to trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
import trustme

from tests.harness.entrypoint import TRANSPORTS

if TYPE_CHECKING:
    from pathlib import Path


class Authority(NamedTuple):
    """Who issues certificates here; `file` is its own, as PEM."""

    ca: trustme.CA
    file: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    file = tmp_path_factory.mktemp("trust") / "authority.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(ca, file)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)
