"""Some starts of `make chaos`, always the same: whatever they meet, they succeed or report why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.__main__ import attempts

if TYPE_CHECKING:
    from tests.harness.entrypoint import Entrypoint

pytestmark = pytest.mark.slow

SEEDS = [1, 2, 3, 4]
STARTS = 30
"""Of each seed; those of another form than the archive's are left out."""

ONCE_FAILED = [
    *((1, 12), (1, 39), (1, 86), (100, 471)),  # --help without a standard output
    *((1, 45), (3, 0), (200, 170)),  # --version without a standard output
    (400, 199),  # a dry run into a full device
    *((1, 72), (100, 364), (100, 385)),  # memory that is short of a TLS context
    *((777, 107), (655528, 602)),  # a crash: a thread's small stack, or OpenSSL without memory
    *((777, 278), (655528, 2147)),  # memory that is short elsewhere
    *((400, 266), (655528, 423)),  # an exec that fails, when nobody reads standard error
    (244789, 1372),  # a warning of Python's in development mode
    (962541, 3134),  # a hang: CPython 3.11, with memory for one thread of two
    (962541, 1432),  # a crash: an environment that takes the stack
]
"""Seed and number of starts that `make chaos` found."""


def broken_promises(entrypoint: Entrypoint, chosen: list[tuple[int, int]]) -> list[str]:
    broken = [str(tried) for tried in attempts([entrypoint.archive], chosen) if tried.problems]
    print("\n".join(broken))  # pytest truncates a list
    return broken


@pytest.mark.parametrize("seed", SEEDS)
def test_the_starts_of_a_seed_break_no_promise(entrypoint: Entrypoint, seed: int) -> None:
    assert broken_promises(entrypoint, [(seed, number) for number in range(STARTS)]) == []


def test_the_starts_that_once_failed_break_no_promise(entrypoint: Entrypoint) -> None:
    assert broken_promises(entrypoint, ONCE_FAILED) == []
