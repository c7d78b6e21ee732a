"""Where the archive lies, what it is called, how it is started, and what if a part of it is missing."""

from __future__ import annotations

import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import TRANSPORTS, Entrypoint, aws, with_interpreter
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from pathlib import Path

UNUSUAL_NAME = "with spaces, ünd 東京/run lambda.entrypoint"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("before", "name"),
    [
        ([], "run-lambda-entrypoint.pyz"),
        ([sys.executable], "entrypoint"),
        ([], UNUSUAL_NAME),
        ([sys.executable], UNUSUAL_NAME),
        ([sys.executable, "-ISB"], UNUSUAL_NAME),
    ],
    ids=["itself", "python3", "itself-unusual", "python3-unusual", "python3-ISB-unusual"],
)
def test_it_starts_under_any_name_and_in_any_way(
    entrypoint: Entrypoint, tmp_path: Path, before: list[str], name: str, transport: str
) -> None:
    archive = tmp_path / name
    archive.parent.mkdir(exist_ok=True)
    with_interpreter(entrypoint.archive, sys.executable, archive)
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        finished = run([*before, archive, "printenv", "A"], Surroundings(environ))
    assert (finished.status, finished.stdout, finished.stderr) == (0, b"1\n", b"")


def test_its_own_shebang_line_starts_it(entrypoint: Entrypoint) -> None:
    with entrypoint.archive.open("rb") as file:
        python = file.readline().decode()[2:].split()[0]
    if not shutil.which(python) or run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]).status:
        pytest.skip(f"{python} does not exist, or is older than Python 3.10")
    finished = run([entrypoint.archive, "/bin/echo", "started"])
    assert (finished.status, finished.stdout, finished.stderr) == (0, b"started\n", b"")


def test_it_starts_by_a_relative_path(entrypoint: Entrypoint, tmp_path: Path) -> None:
    shutil.copyfile(entrypoint.archive, tmp_path / "archive")
    finished = run([sys.executable, "-ISB", "archive", "/bin/echo", "started"], Surroundings(directory=tmp_path))
    assert (finished.status, finished.stdout, finished.stderr) == (0, b"started\n", b"")


UNRAISABLE = """
import runpy, sys
class Dying:
    def __del__(self):
        raise ValueError("correct-horse")
def at_exec(event, arguments):
    if event == "os.exec":
        Dying()
sys.addaudithook(at_exec)
del sys.argv[0]
sys.path.insert(0, sys.argv[0])
runpy._run_module_as_main("__main__", alter_argv=False)
"""


def test_python_shows_no_text_of_an_error_that_nobody_can_catch(entrypoint: Entrypoint) -> None:
    ended = run([sys.executable, "-ISB", "-c", UNRAISABLE, entrypoint.archive, "/bin/echo", "started"])
    assert (ended.status, ended.stdout, ended.stderr) == (0, b"started\n", b"")


def test_a_truncated_archive_does_not_start_the_command(entrypoint: Entrypoint, tmp_path: Path) -> None:
    whole = entrypoint.archive.read_bytes()
    with zipfile.ZipFile(entrypoint.archive) as archive:
        directory = archive.start_dir
        entries = [entry.header_offset + 40 for entry in archive.infolist()[:6]]
    in_directory = range(directory, len(whole), (len(whole) - directory) // 8)
    for kept in [0, 1, 2, 20, *entries, *in_directory, *(len(whole) - lost for lost in (23, 22, 21, 4, 2, 1))]:
        (tmp_path / "truncated").write_bytes(whole[:kept])
        ended = Entrypoint(tmp_path / "truncated")("/bin/echo", "started")
        failed = ended.code != 0 or kept < 40  # fewer bytes are an empty script to Python
        assert (ended.out, failed) == (b"", True), f"truncated to {kept} of {len(whole)} bytes"
