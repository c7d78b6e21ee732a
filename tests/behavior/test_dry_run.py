"""`--dry-run`: would it start, and what would be set? The exit code of the start, names only, and no command."""

import fcntl
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.behavior.test_leaks import MARKER, traces
from tests.harness.entrypoint import PLAIN, WITHOUT_PROC, Ended, Entrypoint, Words, aws, permitted, shell
from tests.harness.http_server import Reply, by_length, error, http_server, secret
from tests.harness.process import Surroundings, started
from tests.harness.secrets_api import REGION, SecretsApi

STRACE = shutil.which("strace") or ""
WITHOUT_MEMFD: Words = [STRACE, "-f", "-qq", "-o", "/dev/null", "-e", "inject=memfd_create:error=EPERM"]
PRLIMIT = shutil.which("prlimit") or ""
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE = "LAMBDA_ENV_VALUE_FROM_"
ELSEWHERE = "ap-northeast-1"
ARN = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:production/{100 * 'x'}-AbCdEf"


class Runs:
    """Dry runs of one function with a secret and a parameter of each kind; each value holds the marker."""

    def __init__(self, entrypoint: Entrypoint, api: SecretsApi, transport: str) -> None:
        name, root = f"dry/{transport}", f"/dry-{transport}"
        self.arn = api.create_secret(name, "{}", region=ELSEWHERE)
        text = json.dumps({"OWN": MARKER, "EARLIER": MARKER})
        self.version = api.put_secret_value(name, text, "AWSCURRENT", region=ELSEWHERE)
        api.create_secret(f"{name}-plain", "{}")
        self.plain_version = api.put_secret_value(f"{name}-plain", MARKER, "AWSCURRENT")
        parameter = api.put_parameter(f"{root}/one", MARKER)
        api.put_parameter(f"{root}/path/db-user", "short")
        api.put_parameter(f"{root}/path/db-user", MARKER)
        self.environ = api.environ(
            **PLAIN,
            SECRETS_MANAGER_ARN=self.arn,
            LAMBDA_ENV_SSM_PATH_P=f"{root}/path/",
            LAMBDA_ENV_VALUE_FROM_EARLIER=f"{name}-plain",
            LAMBDA_ENV_VALUE_FROM_ONE=parameter,
            LAMBDA_ENV_TRANSPORT=transport,
            OWN=f"own {MARKER}",
        )
        self.name, self.root = name, root
        self.json = entrypoint("--dry-run", "--format", "json", "true", "é", environ=self.environ)
        self.table = entrypoint("--dry-run", "true", "é", environ=self.environ)


@pytest.fixture(scope="module")
def runs(entrypoint: Entrypoint, secrets_api: SecretsApi, transport: str) -> Runs:
    """The runs over either transport."""
    return Runs(entrypoint, secrets_api, transport)


def test_json_has_the_source_version_and_length_of_each_variable_and_what_it_overrides(runs: Runs) -> None:
    columns = ("variable", "reference", "source", "version", "region", "overrides")
    first, plain = "SECRETS_MANAGER_ARN", f"{runs.name}-plain"
    db_user, one = f"{runs.root}/path/db-user", f"{runs.root}/one"
    expected = {
        ("OWN", first, runs.arn, runs.version, ELSEWHERE, "the function's configuration"),
        ("EARLIER", f"{VALUE}EARLIER", plain, runs.plain_version, REGION, f"secret {runs.arn} ({first})"),
        ("DB_USER", "LAMBDA_ENV_SSM_PATH_P", db_user, "2", REGION, ""),
        ("ONE", f"{VALUE}ONE", one, "1", REGION, ""),
    }
    rows = json.loads(runs.json.out)["variables"]

    assert {tuple(row[column] for column in columns) for row in rows} == expected
    assert [row.keys() - set(columns) for row in rows] == [{"bytes"}] * 4
    assert [row["bytes"] for row in rows] == [len(MARKER.encode())] * 4


def test_json_has_the_command(runs: Runs) -> None:
    result = json.loads(runs.json.out)
    assert (result["command"], result["inEmulator"]) == (["true", "é"], False)


def test_the_table_has_the_same_cells_as_json_in_columns(runs: Runs) -> None:
    rows = json.loads(runs.json.out)["variables"]
    head, *lines = runs.table.out.decode().split("\n\n")[0].splitlines()
    starts = [head.index(name.upper()) for name in rows[0]]
    cells = [
        [line[start:end].rstrip() for start, end in zip(starts, [*starts[1:], None], strict=True)] for line in lines
    ]
    own = {"the function's configuration": "the function's own"}
    assert cells == [[own.get(str(cell), str(cell)) for cell in row.values()] for row in rows]


def test_the_table_is_followed_by_the_command(runs: Runs) -> None:
    assert runs.table.out.decode().split("\n\n")[1:] == ["would start: true 'é'\n"]


def test_a_dry_run_is_silent_on_standard_error(runs: Runs) -> None:
    assert [(ended.code, ended.err) for ended in (runs.json, runs.table)] == [(0, "")] * 2


def test_a_dry_run_shows_no_value(runs: Runs) -> None:
    assert [traces(ended.out.decode()) for ended in (runs.json, runs.table)] == [[]] * 2


def on_terminal(entrypoint: Entrypoint, environ: dict[str, str], columns: int) -> str:
    """What a dry run writes to a terminal of that width."""
    ours, theirs = os.openpty()
    written = b""
    with os.fdopen(ours, "rb", 0) as terminal, os.fdopen(theirs, "wb", 0) as program:
        fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        words = [*entrypoint.words, "--dry-run", "true"]
        with started(words, Surroundings(environ=environ), stdout=program.fileno()) as process:
            program.close()
            with suppress(OSError):  # EIO: nobody has the terminal open any more
                while part := terminal.read(1 << 16):
                    written += part
            assert process.wait(60) == 0
    return written.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def function() -> Iterator[dict[str, str]]:
    """The environment of a function whose table is wide."""
    text = json.dumps({"PASSWORD": "x", "USER": "y", "A_NAME_OF_SOME_LENGTH_FOR_A_VARIABLE": "z"})
    reply = by_length(json.dumps({"ARN": ARN, "SecretString": text, "VersionId": ARN[-36:]}).encode())
    with http_server(lambda _: reply) as server:
        yield aws(server.url, {f"{PREFIX}RDS": ARN, f"{VALUE}USER": f"{ARN}:USER::"}, PASSWORD="own")


NAMES = ["PASSWORD", "USER", "A_NAME_OF_SOME_LENGTH_FOR_A_VARIABLE"]


@pytest.mark.parametrize(
    ("columns", "head", "password"),
    [
        (80, "BYTES  SOURCE      OVERRIDES", "1      …xx-AbCdEf  the function's own"),
        (
            100,
            "BYTES  REFERENCE   SOURCE                OVERRIDES",
            "1      …R_ARN_RDS  …xxxxxxxxxxxx-AbCdEf  the function's own",
        ),
        (
            132,
            f"BYTES  REFERENCE   {'SOURCE':46}  VERSION  OVERRIDES",
            f"1      …R_ARN_RDS  …{38 * 'x'}-AbCdEf  …AbCdEf  the function's own",
        ),
    ],
)
def test_version_and_reference_give_way_to_a_terminal_first_and_names_and_overrides_are_whole(
    entrypoint: Entrypoint, function: dict[str, str], columns: int, head: str, password: str
) -> None:
    table = on_terminal(entrypoint, function, columns).split("\n\n")[0].splitlines()
    width = max(map(len, NAMES))
    assert table[:2] == [f"{'VARIABLE':{width}}  {head}", f"{'PASSWORD':{width}}  {password}"]
    assert [line.split()[0] for line in table[1:]] == NAMES
    assert max(map(len, table)) <= columns


def test_on_a_narrow_terminal_each_cell_is_a_line(entrypoint: Entrypoint, function: dict[str, str]) -> None:
    *blocks, region, command = on_terminal(entrypoint, function, 40).split("\n\n")
    assert blocks[0].splitlines() == [
        "VARIABLE   PASSWORD",
        "BYTES      1",
        f"REFERENCE  {PREFIX}RDS",
        f"SOURCE     {ARN}",
        f"VERSION    {ARN[-36:]}",
        "OVERRIDES  the function's own",
    ]
    assert [block.split()[1] for block in blocks] == NAMES
    assert (region, command) == ("Region: eu-west-1", "would start: true\n")


def test_regions_that_differ_are_a_column(runs: Runs) -> None:
    out = runs.table.out.decode()
    assert (" REGION " in out, "Region: " in out) == (True, False)


SURPRISING = secret('{"api.key": "hunter2\\n", "PLAIN": "x"}')
NOTES = [
    'variables whose names are not valid in a shell (dash drops them): "api.key"',
    'variables whose values end with a line break: "api.key"',
]


def test_what_may_surprise_in_a_variable_is_noted_beside_the_region_of_all(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: SURPRISING) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"})
        as_json, table = (entrypoint("--dry-run", *words, environ=environ) for words in (["--format", "json"], []))
    assert (table.err, as_json.err, json.loads(as_json.out)["notes"]) == ("", "", NOTES)
    head, below = table.out.decode().split("\n\n")
    assert ("REGION" in head, below.splitlines()) == (False, ["Region: eu-west-1", *NOTES])


def test_a_reference_that_sets_nothing_is_no_missing_reference(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret("{}")) as server:
        ended = entrypoint("--dry-run", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}))
    assert (ended.code, ended.out, ended.err.count("sets no variable")) == (0, b"no variable would be set\n", 1)


@pytest.mark.parametrize("columns", [0, 1000])
def test_on_a_terminal_that_is_wide_enough_or_says_no_width_nothing_is_truncated(
    entrypoint: Entrypoint, function: dict[str, str], columns: int
) -> None:
    table = on_terminal(entrypoint, function, columns)
    assert table == entrypoint("--dry-run", "true", environ=function).out.decode()


def test_there_is_no_color_even_on_a_terminal(entrypoint: Entrypoint, function: dict[str, str]) -> None:
    environ = {**function, "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    assert "\x1b" not in on_terminal(entrypoint, environ, 100)


NAME = {"SECRETS_MANAGER_ARN": "name"}
GOOD = secret('{"A": "1"}')


def dry(entrypoint: Entrypoint, *words: str, **more: str) -> Ended:
    """A dry run with one secret {"A": "1"}."""
    with http_server(lambda _: GOOD) as server:
        return entrypoint("--dry-run", *words, environ=aws(server.url, NAME, **more))


def test_a_dry_run_does_not_start_the_command(entrypoint: Entrypoint) -> None:
    ended = dry(entrypoint, "echo", "hunter2-started")
    assert (ended.code, ended.out.count(b"hunter2-started")) == (0, 1)  # as the command's own argument


@pytest.mark.parametrize("words", [[], ["--"], ["--rie-path", "/no/such/emulator"]])
def test_the_command_may_be_left_out(entrypoint: Entrypoint, words: list[str]) -> None:
    ended = dry(entrypoint, *words)
    assert (ended.code, ended.out.splitlines()[0].split()[0], b"would start" in ended.out) == (0, b"VARIABLE", False)


@pytest.mark.parametrize("words", [["true", "a b"], []])
def test_without_references_no_variable_would_be_set(entrypoint: Entrypoint, words: list[str]) -> None:
    ended = entrypoint("--dry-run", *words)
    how = b"\n\nwould start: true 'a b'" if words else b""
    assert ended == (0, b"no variable would be set\n\nno reference found" + how + b"\n", "")


@pytest.mark.parametrize(
    ("environ", "command", "emulated"),
    [
        ({}, ["/bin/sh", "--log-level", "info", "/bin/echo", "-x"], True),
        ({"LOG_LEVEL": "debug"}, ["/bin/sh", "--log-level", "debug", "/bin/echo", "-x"], True),
        ({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}, ["/bin/echo", "-x"], False),
    ],
)
def test_it_shows_whether_the_command_would_run_in_the_emulator(
    entrypoint: Entrypoint, environ: dict[str, str], command: list[str], emulated: bool
) -> None:
    words = ["--dry-run", "--rie-path", "/bin/sh", "--format", "json", "--", "/bin/echo", "-x"]
    ended = entrypoint(*words, environ={**PLAIN, **environ})
    assert json.loads(ended.out) == {
        "variables": [],
        "notes": ["no reference found"],
        "command": command,
        "inEmulator": emulated,
    }


def test_the_table_shows_the_emulator(entrypoint: Entrypoint) -> None:
    ended = entrypoint("--dry-run", "--rie-path", "/bin/sh", "/bin/echo")
    last = b"would start in the Runtime Interface Emulator: /bin/sh --log-level info /bin/echo"
    assert ended.out.splitlines()[-1] == last


def test_without_a_dry_run_standard_output_is_the_commands_alone(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: GOOD) as server:
        ended = entrypoint("printenv", "A", environ=aws(server.url, NAME, LAMBDA_ENV_LOG_LEVEL="debug"))
    assert ended.out == b"1\n"


LARGE = secret(json.dumps({"A": 90_000 * "x", "B": 90_000 * "x"}))
TIMEOUT = "LAMBDA_ENV_TIMEOUT_SECONDS"
DENIED = {"A": "own", "LAMBDA_ENV_ON_OVERRIDE": "deny"}
SMALL_STACK = shell("ulimit -s 600")
STARTS: dict[str, tuple[list[str], Reply, dict[str, str], Words, int]] = {
    # Arguments, what Secrets Manager replies, more of the environment, what stands before, the exit code.
    "nothing": (["true"], GOOD, {}, (), 0),
    "an unknown option": (["--unknown", "true"], GOOD, {}, (), 2),
    "an invalid option": (["--timeout=x", "true"], GOOD, {}, (), 2),
    "an invalid variable": (["true"], GOOD, {TIMEOUT: "x"}, (), 125),
    "an invalid reference": (["true"], GOOD, {f"{PREFIX}A": "a b"}, (), 125),
    "no secret": (["true"], error(400, "AccessDeniedException"), {}, (), 125),
    "no object": (["true"], secret("[]"), {}, (), 125),
    "override": (["true"], GOOD, DENIED, (), 125),
    "E2BIG": (["true"], LARGE, {}, SMALL_STACK, 125),
    "no program": (["no-such-program"], GOOD, {}, (), 127),
    "no interpreter": (["./no-interpreter"], GOOD, {}, (), 127),
    "no permission": (["./no-permission"], GOOD, {}, (), 126),
    "no shebang line": (["./no-shebang-line"], GOOD, {}, (), 126),
    "a shebang line that names no program": (["./no-program"], GOOD, {}, (), 126),
    "another machine": (["./another-machine"], GOOD, {}, (), 126),
}
OWN = Path(sys.executable).read_bytes()[:64]
PROGRAMS = {
    "no-interpreter": (b"#!/no/such/one\n", 0o755),
    "no-permission": (b"#!/bin/sh\n", 0o644),
    "no-shebang-line": (b"true\n", 0o755),
    "no-program": (b"#!/etc/passwd\n", 0o755),
    "another-machine": (OWN[:18] + b"\0\0" + OWN[20:], 0o755),
}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs that the kernel refuses."""
    for name, (content, mode) in PROGRAMS.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    return tmp_path


@pytest.mark.parametrize("case", STARTS)
def test_exit_code_and_report_are_those_of_the_start_and_a_failure_writes_nothing_to_standard_output(
    entrypoint: Entrypoint, programs: Path, case: str
) -> None:
    argv, reply, more, before, code = STARTS[case]
    given = Surroundings(directory=programs)
    with http_server(lambda _: reply) as server:
        environ = aws(server.url, NAME, **more)
        start, dry_run = (
            entrypoint(*option, *argv, environ=environ, before=before, surroundings=given)
            for option in ([], ["--dry-run"])
        )
    # How large the environment is depends on what is executed.
    reports = [
        re.sub("[0-9,]+ bytes of environment", "N bytes of environment", ended.err) for ended in (start, dry_run)
    ]

    assert (start.code, dry_run.code, reports[1]) == (code, code, reports[0])
    assert (dry_run.out == b"") == (code != 0)


@pytest.mark.skipif(not permitted(WITHOUT_PROC), reason="no mount namespace is permitted here")
@pytest.mark.parametrize("case", ["nothing", "E2BIG", "no interpreter", "no shebang line", "another machine"])
def test_where_proc_is_not_mounted_exit_code_and_report_are_the_same(
    entrypoint: Entrypoint, programs: Path, case: str
) -> None:
    argv, reply, more, before, _ = STARTS[case]
    given = Surroundings(directory=programs)
    with http_server(lambda _: reply) as server:
        environ = aws(server.url, NAME, LC_ALL="C.UTF-8", **more)  # in a C locale Python adds a variable
        usual, without = (
            entrypoint("--dry-run", *argv, environ=environ, before=words, surroundings=given)
            for words in (before, [*WITHOUT_PROC, *before])
        )
    assert without == usual


def test_an_environment_too_large_is_reported_without_a_command_too(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: LARGE) as server:
        ended = entrypoint("--dry-run", environ=aws(server.url, NAME), before=SMALL_STACK)
    assert (ended.code, ended.out, "E2BIG" in ended.err) == (125, b"", True)


def test_a_warning_of_the_start_is_one_of_the_dry_run(entrypoint: Entrypoint) -> None:
    ended = dry(entrypoint, "true", LAMBDA_ENV_TYPO="x")
    assert (ended.code, ended.err.count("warning: LAMBDA_ENV_TYPO ")) == (0, 1)


def test_a_reader_that_goes_away_is_not_an_error(entrypoint: Entrypoint) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [*entrypoint.words, "--dry-run", "true"]
    surroundings = Surroundings(environ=PLAIN)
    with started(words, surroundings, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_failed_dry_run_in_lambda_is_reported_as_a_failed_start(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: by_length(b"", 202)) as runtime_api:
        environ = {**PLAIN, "SECRETS_MANAGER_ARN": "a b", "AWS_LAMBDA_RUNTIME_API": runtime_api.address}
        ended = entrypoint("--dry-run", environ=environ)
    assert (ended.code, len(runtime_api.requests)) == (125, 1)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(WITHOUT_PROC, id="without /proc"),
        pytest.param(WITHOUT_MEMFD, id="without memfd_create"),
        pytest.param([PRLIMIT, "--fsize=0"], id="no file may grow"),
    ],
)
def test_it_needs_no_proc_and_writes_no_file(entrypoint: Entrypoint, before: Words) -> None:
    if not permitted(before):
        pytest.skip("it cannot be tried here")
    with http_server(lambda _: secret('{"KEY": "value"}')) as server:
        ended = entrypoint("--dry-run", "true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}), before=before)
    assert (ended.code, ended.out.decode().split()[6], ended.err) == (0, "KEY", "")
