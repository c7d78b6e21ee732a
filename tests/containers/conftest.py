"""What container tests share."""

import os

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import EXAMPLES, Example


@pytest.fixture(scope="session")
def docker() -> Docker:
    """The engine that has the examples' images."""
    if "CONTAINER_TESTS_PREPARED" not in os.environ:
        pytest.fail("these tests need an engine and images; start them by `make test-containers`")
    return Docker()


@pytest.fixture(params=EXAMPLES, ids=lambda example: example.name)
def example(request: pytest.FixtureRequest) -> Example:
    """Each of the examples."""
    chosen: Example = request.param
    return chosen
