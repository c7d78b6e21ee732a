"""The executable may be executed but not read: all that is in its archive alone is missing then. Or its end is gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.entrypoint import Ended

UID = 64321


@pytest.fixture
def unreadable(executable: Path) -> Iterator[Entrypoint]:
    if os.geteuid():
        pytest.skip("being another user takes root")
    with TemporaryDirectory() as folder:  # not tmp_path, which only we may enter
        Path(folder).chmod(0o755)
        copied = shutil.copyfile(executable, Path(folder, "run-lambda-entrypoint"))
        copied.chmod(0o711)
        yield Entrypoint(copied)


def ends(entrypoint: Entrypoint, *argv: str, transport: str = "direct", uid: int | None = UID) -> Ended:
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        return entrypoint(*argv, environ=environ, surroundings=Surroundings(uid=uid))


def test_the_ordinary_start_needs_nothing_of_it(unreadable: Entrypoint) -> None:
    assert ends(unreadable, "printenv", "A") == (0, b"1\n", "")


@pytest.mark.parametrize(("argv", "transport"), [(["true"], "botocore"), (["--licenses"], "direct")])
def test_what_does_says_so(unreadable: Entrypoint, argv: list[str], transport: str) -> None:
    message = f"{unreadable.archive} cannot be read; run chmod 0755 on it in the image"
    assert ends(unreadable, *argv, transport=transport) == (125, b"", f"run-lambda-entrypoint: {message}\n")


@pytest.mark.parametrize(("argv", "transport"), [(["true"], "botocore"), (["--licenses"], "direct")])
def test_what_needs_the_archive_says_that_its_end_is_missing(
    executable: Path, tmp_path: Path, argv: list[str], transport: str
) -> None:
    truncated = shutil.copy(executable, tmp_path)
    os.truncate(truncated, executable.stat().st_size - 100_000)
    ended = ends(Entrypoint(Path(truncated)), *argv, transport=transport, uid=None)
    message = "the file is damaged, or was replaced while it started; copy it again, and check it with sha256sum"
    assert ended == (125, b"", f"run-lambda-entrypoint: {message}\n")
