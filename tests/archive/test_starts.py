"""Where the archive lies, what it is called, how it is started, and what if a part of it is missing."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from build import SHEBANGS, shebang_line
from tests.harness.entrypoint import TRANSPORTS, Entrypoint, aws, with_interpreter
from tests.harness.http_server import by_length, error, http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.harness.http_server import Reply, Request

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


SILENT, DAMAGED = "", "run-lambda-entrypoint: cannot start (EOFError): the file is damaged, or memory is short\n"


def test_a_truncated_archive_does_not_start_the_command(entrypoint: Entrypoint, tmp_path: Path) -> None:
    whole = entrypoint.archive.read_bytes()
    with zipfile.ZipFile(entrypoint.archive) as archive:
        directory, entries = archive.start_dir, archive.infolist()
    first = entries[1].header_offset  # where the entry that the shebang line executes has ended
    inside = [entry.header_offset + 40 for entry in (*entries[1:6], entries[len(entries) // 2])]
    in_directory = range(directory, len(whole), (len(whole) - directory) // 8)
    for kept in (
        127,
        128,
        200,
        first - 1,
        first,
        *inside,
        *in_directory,
        *(len(whole) - lost for lost in (23, 22, 4, 1)),
    ):
        (tmp_path / "truncated").write_bytes(whole[:kept])
        ended = run([*entrypoint.words[:-1], tmp_path / "truncated", "/bin/echo", "started"])
        actual = ended.status, ended.stdout, ended.stderr.decode()
        assert actual == (125, b"", SILENT if kept < first else DAMAGED), f"truncated to {kept} of {len(whole)} bytes"


def test_a_truncated_archive_does_not_start_the_command_by_runpy_either(entrypoint: Entrypoint, tmp_path: Path) -> None:
    whole = entrypoint.archive.read_bytes()
    for kept in range(1000, len(whole), len(whole) // 20):
        (tmp_path / "truncated").write_bytes(whole[:kept])
        ended = run([sys.executable, "-ISB", tmp_path / "truncated", "/bin/echo", "started"])
        assert (ended.stdout, ended.status != 0) == (b"", True), f"truncated to {kept} of {len(whole)} bytes"


def test_a_repacked_archive_ends_without_a_word(entrypoint: Entrypoint, tmp_path: Path) -> None:
    with entrypoint.archive.open("rb") as file:
        line = file.readline()
    with (tmp_path / "repacked").open("wb") as file, zipfile.ZipFile(entrypoint.archive) as read:
        file.write(line)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
            for name in read.namelist():
                written.writestr(name, read.read(name))
    ended = run([*entrypoint.words[:-1], tmp_path / "repacked", "/bin/echo", "started"])
    assert (ended.status, ended.stdout, ended.stderr) == (125, b"", b"")


def link(archive: Path, folder: Path) -> str:
    (folder / "link").symlink_to(archive)
    return f"{folder}/link"


def not_utf8(archive: Path, folder: Path) -> bytes:
    name = os.fsencode(folder) + b"/\xff\xfe"
    shutil.copyfile(archive, name)
    return name


PATHS: dict[str, Callable[[Path, Path], str | bytes]] = {
    "absolute": lambda archive, _: str(archive),
    "relative": lambda archive, folder: os.path.relpath(archive, folder),
    "a symlink": link,
    "not UTF-8": not_utf8,
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_its_shebang_line_takes_any_path(
    entrypoint: Entrypoint, tmp_path: Path, path: Callable[[Path, Path], str | bytes]
) -> None:
    words = [*entrypoint.words[:-1], path(entrypoint.archive, tmp_path), "/bin/echo", "started"]
    ended = run(words, Surroundings(directory=tmp_path))
    assert (ended.status, ended.stdout, ended.stderr) == (0, b"started\n", b"")


def test_its_shebang_line_takes_a_descriptor(entrypoint: Entrypoint) -> None:
    with entrypoint.archive.open("rb") as file:
        words = [*entrypoint.words[:-1], f"/proc/self/fd/{file.fileno()}", "/bin/echo", "started"]
        ended = run(words, Surroundings(descriptors=[file.fileno()]))
    assert (ended.status, ended.stdout, ended.stderr) == (0, b"started\n", b"")


@pytest.mark.parametrize("python", [*SHEBANGS.values(), "/a/path/of/28/bytes/python3"])
def test_the_shebang_line_has_127_bytes(python: str) -> None:
    line = shebang_line(python, b"x" * 9999)
    assert (len(line), line[:2], line[-1:], b" -ISBc" in line) == (127, b"#!", b"\n", True)


@pytest.mark.parametrize("tool", [[sys.executable, "-m", "zipfile", "-t"], ["unzip", "-tq"]], ids=["zipfile", "unzip"])
def test_tools_for_zip_archives_accept_the_file(entrypoint: Entrypoint, tool: list[str]) -> None:
    program = shutil.which(tool[0])
    if not program:
        pytest.skip(f"{tool[0]} is not installed")
    assert run([program, *tool[1:], entrypoint.archive]).status == 0


def test_a_longer_path_is_left_to_runpy(capfd: pytest.CaptureFixture[str]) -> None:
    line = shebang_line("/a/path/of/more/bytes/python3", b"x" * 9999)
    assert line == b"#!/a/path/of/more/bytes/python3 -ISB".ljust(126) + b"\n"
    assert "each start takes 5 ms more" in capfd.readouterr().out


CREDENTIALS = b"""{"AccessKeyId": "AKIDCONTAINER", "SecretAccessKey": "key", "Token": "token",
"Expiration": "2099-01-01T00:00:00Z"}"""
DAMAGED_STARTS = ("run-lambda-entrypoint: ", "run-lambda-entrypoint: SECRETS_MANAGER_ARN: secret name: ")


@pytest.mark.parametrize("before", [[], [sys.executable]], ids=["itself", "python3"])
@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda content: content[:100_000], id="truncated"),
        pytest.param(lambda content: bytes(len(content)), id="zeros"),
    ],
)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_archive_that_is_replaced_while_it_starts_is_one_clear_line(
    entrypoint: Entrypoint, tmp_path: Path, before: list[str], replaced: Callable[[bytes], bytes], transport: str
) -> None:
    archive = tmp_path / "archive"
    with_interpreter(entrypoint.archive, sys.executable, archive)

    def answer(request: Request) -> Reply:
        archive.write_bytes(replaced(archive.read_bytes()))
        # What there is to say about the one, and the data of the service to call with the other, are in the archive.
        return error(400, "ResourceNotFoundException") if request.method == "POST" else by_length(CREDENTIALS)

    with http_server(answer) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        if transport == "botocore":
            environ |= {"AWS_ACCESS_KEY_ID": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}
        finished = run([*before, archive, "true"], Surroundings(environ))
    start, _, message = finished.stderr.decode().rpartition("the file is damaged")
    assert (finished.status, start in DAMAGED_STARTS, message) == (
        125,
        True,
        ", or was replaced while it started; copy it again, and check it with sha256sum\n",
    )
