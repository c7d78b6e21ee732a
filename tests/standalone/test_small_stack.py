"""A stack that the executable's frames do not fit into is reported: CPython would crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.entrypoint import shell

if TYPE_CHECKING:
    from tests.harness.entrypoint import Entrypoint

TOO_SMALL = "cannot start: arguments and environment leave too little of the stack; raise its limit (ulimit -s)"


def test_a_stack_without_room_for_a_start_is_reported(entrypoint: Entrypoint) -> None:
    ended = entrypoint("true", before=shell("ulimit -s 24"))
    assert ended == (125, b"", f"run-lambda-entrypoint: {TOO_SMALL}\n")
