"""Both halves of `native` in every interpreter that is found, each a process that plays what it is told."""

from __future__ import annotations

import marshal
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from build import interpreters
from tests.conformance import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[Any, Any]

ROOT = Path(__file__).parents[2]


class Client:
    """A half in an interpreter."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def tell(self, play: str, *arguments: object) -> None:
        assert self._process.stdin
        marshal.dump([play, *arguments], self._process.stdin, 2)
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout
        return marshal.load(self._process.stdout)  # noqa: S302 - our own


class Halves:
    """The two halves in each interpreter, by its version."""

    def __init__(self, clients: dict[str, tuple[Client, Client]]) -> None:
        self._clients = clients

    def play(self, *call: object) -> dict[str, Pair]:
        """What the C modules and the public ones answer."""
        for pair in self._clients.values():
            for each in pair:
                each.tell(*call)  # type: ignore[arg-type]
        return {version: (c.answer(), public.answer()) for version, (c, public) in self._clients.items()}


def agreed(found: dict[str, Pair]) -> dict[str, Any]:
    """What both halves answer, in each interpreter: the same."""
    assert {version: pair for version, pair in found.items() if pair[0] != pair[1]} == {}
    return {version: c for version, (c, _) in found.items()}


@contextmanager
def running(python: str, half: str) -> Iterator[Client]:
    """A half in an interpreter, as a process."""
    command = [python, "-IB", client.__file__, str(ROOT / "src"), half]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Client(process)


@pytest.fixture(scope="session")
def halves() -> Iterator[Halves]:
    with ExitStack() as stack:
        yield Halves(
            {
                version: (
                    stack.enter_context(running(python.path, client.C)),
                    stack.enter_context(running(python.path, client.PUBLIC)),
                )
                for version, python in interpreters().items()
            }
        )
