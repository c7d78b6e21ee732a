"""What all tests share: the built archive, and servers that live as long as a worker of pytest."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.entrypoint import Entrypoint, is_executable
from tests.harness.secrets_api import SecretsApi, serving

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--archive",
        type=Path,
        default=ROOT / "dist/run-lambda-entrypoint.pyz",
        help="the archive under test, or an executable that brings its own interpreter",
    )


def pytest_xdist_auto_num_workers() -> int:
    """One more than CPUs: many tests wait for a deadline most of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`make test-quick` leaves out what starts botocore, which takes as long as ten other starts. A test of an
    executable skips what does not apply to it: `pytest -rs` lists that, with the reasons."""
    archive = config.getoption("--archive")
    executable = archive.is_file() and is_executable(archive)
    for item in items:
        archive_only = item.get_closest_marker("archive_only")
        if executable and archive_only:
            item.add_marker(pytest.mark.skip(reason=archive_only.args[0]))
        callspec = getattr(item, "callspec", None)
        if callspec and "botocore" in callspec.params.values():
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def entrypoint(pytestconfig: pytest.Config) -> Entrypoint:
    """The built archive, ready to be started."""
    archive = pytestconfig.getoption("--archive")
    assert archive.is_file(), f"{archive} is missing; make it with `make dist`"
    return Entrypoint(archive)


@pytest.fixture(scope="session")
def secrets_api() -> Iterator[SecretsApi]:
    """Moto's Secrets Manager; names of secrets are to be a test's own."""
    with serving() as api:
        yield api
