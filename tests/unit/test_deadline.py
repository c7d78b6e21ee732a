"""The moment by which everything is over."""

from __future__ import annotations

from time import monotonic

import pytest

from run_lambda_entrypoint.deadline import Deadline


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_after_the_deadline_no_time_is_left(seconds: float) -> None:
    actual = Deadline(monotonic() - 10.0, seconds).left()
    assert actual == 0.0


def test_what_has_passed_since_the_start_is_not_left() -> None:
    left = Deadline(monotonic() - 10.0, 15.0).left()
    assert 0.0 < left <= 5.0


def test_a_deadline_tells_the_seconds_that_it_was_made_with() -> None:
    actual = Deadline(monotonic() - 10.0, 8.0).seconds
    assert actual == 8.0
