"""A profile's credential_process and MFA: standard input stays the command's, and no process outlives the start."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import WITH_OWN_MOUNTS, Entrypoint, aws, end, permitted, shell
from tests.harness.http_server import by_length, http_server
from tests.harness.process import Surroundings, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.http_server import Server

pytestmark = pytest.mark.slow

NAME = {"SECRETS_MANAGER_ARN": "name"}
PRINT = '{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "key"}'


def environ(home: Path, url: str, config: str, **more: str) -> dict[str, str]:
    """That of a function whose profile is `config`."""
    (home / "config").write_text(f"[default]\n{config}\n")
    keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONFIG_FILE": f"{home}/config"}
    return aws(url, NAME, **{**keys, **more})


def script(home: Path, text: str) -> str:
    """A credential_process that does `text`."""
    (home / "process").write_text(f"#!/bin/sh\n{text}\n")
    (home / "process").chmod(0o755)
    return f"credential_process = {home}/process"


# -- Standard input


def test_a_credential_process_reads_nothing_and_the_command_reads_all(
    entrypoint: Entrypoint, server: Server, tmp_path: Path
) -> None:
    text = f"readlink /proc/self/fd/0 >{tmp_path}/stdin; cat >{tmp_path}/read; echo '{PRINT}'"
    surroundings = Surroundings(environ(tmp_path, server.url, script(tmp_path, text)))
    ended = run([*entrypoint.words, "cat"], surroundings, stdin=b"one\ntwo\n")
    read = [(tmp_path / name).read_text() for name in ("stdin", "read")]
    assert (ended.status, ended.stdout, ended.stderr, read) == (0, b"one\ntwo\n", b"", ["/dev/null\n", ""])


@pytest.mark.skipif(not permitted(WITH_OWN_MOUNTS), reason="no mount namespace is permitted here (unshare --mount)")
def test_without_dev_null_it_reads_nothing_either(entrypoint: Entrypoint, server: Server, tmp_path: Path) -> None:
    text = f"readlink /proc/self/fd/0 >{tmp_path}/stdin; cat >{tmp_path}/read; echo '{PRINT}'"
    surroundings = Surroundings(environ(tmp_path, server.url, script(tmp_path, text)))
    hidden = [*WITH_OWN_MOUNTS, *shell("mount -t tmpfs none /dev")]
    ended = run([*hidden, *entrypoint.words, "cat"], surroundings, stdin=b"one\ntwo\n")
    read = [(tmp_path / name).read_text()[:5] for name in ("stdin", "read")]
    assert (ended.status, ended.stdout, ended.stderr, read) == (0, b"one\ntwo\n", b"", ["pipe:", ""])


MFA = (
    "role_arn = arn:aws:iam::123456789012:role/x\nmfa_serial = arn:aws:iam::123456789012:mfa/me\nsource_profile = base"
)


def test_a_profile_that_requires_mfa_is_refused_and_nothing_is_read(entrypoint: Entrypoint, tmp_path: Path) -> None:
    config = f"{MFA}\n[profile base]\naws_access_key_id = AKID\naws_secret_access_key = key"
    given = environ(tmp_path, f"http://127.0.0.1:{free_port()}", config)
    # What follows in the shell reads what is left of its standard input.
    words = ["/bin/sh", "-c", '"$@"; echo "status $?"; cat', "sh", *entrypoint.words, "true"]
    ended = run(words, Surroundings(given), stdin=b"123456\nrest\n")
    message = (
        b"run-lambda-entrypoint: SECRETS_MANAGER_ARN: secret name: AWS configuration: the profile requires an MFA code "
        b"(mfa_serial), and nobody can enter one here; use a profile without mfa_serial, or pass session credentials: "
        b"aws configure export-credentials --format env\n"
    )
    assert (ended.stdout, ended.stderr) == (b"status 125\n123456\nrest\n", message)


# -- Its end


def alive(marker: str) -> list[int]:
    """The processes with `marker` on their command line that have not ended."""
    found = []
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if marker.encode() in cmdline.read_bytes():
                found.append(int(cmdline.parent.name))
    return found


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[str]:
    """The marker of a process, and of its child, that say that they are there, ignore SIGTERM and do not end."""
    marker = f"{tmp_path}/lasting"
    loop = "trap '' TERM HUP INT; while :; do sleep 1; done"
    Path(marker).write_text(
        f'trap "" TERM HUP INT\n/bin/sh -c "{loop}" {marker} &\necho $! >{tmp_path}/there\n{loop}\n'
    )
    yield marker
    for pid in alive(marker):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def hanging(home: Path, marker: str, **more: str) -> dict[str, str]:
    config = f"credential_process = /bin/sh {marker}"
    return environ(home, f"http://127.0.0.1:{free_port()}", config, **more)


def wait_for(home: Path, marker: str) -> None:
    wait_until(lambda: (home / "there").exists() and len(alive(marker)) == 2, what="both processes", seconds=60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_start_leaves_no_process(
    entrypoint: Entrypoint, tmp_path: Path, lasting: str, number: signal.Signals
) -> None:
    given = hanging(tmp_path, lasting, LAMBDA_ENV_TIMEOUT_SECONDS="600")
    with entrypoint.started("true", environ=given) as process:
        wait_for(tmp_path, lasting)
        process.send_signal(number)
        ended = end(process, seconds=20)
        # Here: what is left in the session of the process itself ends with the context.
        wait_until(lambda: not alive(lasting), what="the end of the credential_process")
    line = f"run-lambda-entrypoint: interrupted by {number.name} before the command was started\n"
    assert ended == (128 + number, b"", line)


def test_at_the_deadline_no_process_is_left(entrypoint: Entrypoint, tmp_path: Path, lasting: str) -> None:
    with http_server(lambda _: by_length(b"", 202)) as runtime_api:
        more = {"AWS_LAMBDA_RUNTIME_API": runtime_api.address, "LAMBDA_ENV_TIMEOUT_SECONDS": "6"}
        with entrypoint.started("true", environ=hanging(tmp_path, lasting, **more)) as process:
            ended = end(process)
            wait_until(lambda: not alive(lasting), what="the end of the credential_process")
    assert (ended.code, (tmp_path / "there").exists(), "not fetched within 6 s" in ended.err) == (125, True, True)
