"""The command cannot tell: environment, arguments, descriptors, signals, directory and umask are as without us."""

import json
import signal
from pathlib import Path

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, aws, block, shell
from tests.harness.http_server import Server, http_server, secret
from tests.harness.process import Surroundings, run
from tests.harness.witness import Witness, witness

NAME = {"SECRETS_MANAGER_ARN": "name"}
ENVIRON = ("cat", "/proc/self/environ")

ODD = [
    b"PATH=/usr/bin:/bin",
    b"ODD=\xff\xfe\xc3",
    b"O\xffDD=value",
    b"EMPTY=",
    b"lower.case-and space=a=b=c",
    b"LINES=a\nb\r\n\t\x1b",
    b"PYTHONUTF8=0",
    b"_=/bin/sh",
]


@pytest.mark.parametrize(
    "locale", [[], [b"LC_ALL=C"], [b"LC_ALL=POSIX", b"LANG=C"], [b"LANG=C.UTF-8"], [b"LC_CTYPE=C"]]
)
def test_without_references_the_environment_is_the_same_to_the_byte(
    entrypoint: Entrypoint, locale: list[bytes]
) -> None:
    assert witness(entrypoint.words, Surroundings([*ODD, *locale])).environ == [*ODD, *locale]


def test_with_references_it_is_the_same_plus_the_secrets(entrypoint: Entrypoint, transport: str) -> None:
    with http_server(lambda _: secret('{"NEW": "\u00e9", "NONE": ""}')) as server:
        function = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport, LC_ALL="C")
        own = [*block(function), *ODD[1:], b"AWS_PROFILE="]
        seen = witness(entrypoint.words, Surroundings(own))

    assert seen.environ == [*own, b"NEW=\xc3\xa9", b"NONE="]


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ([b"A=first", b"B=", b"A=second"], b"A=first\0B=\0"),
        ([b"NOEQUALS", b"=nameless", b"E=", b"\xff=\xfe"], b"E=\0\xff=\xfe\0"),
    ],
    ids=["a name twice: the first counts", "without a name or an equals sign: left out"],
)
def test_entries_that_no_mapping_holds(entrypoint: Entrypoint, given: list[bytes], passed_on: bytes) -> None:
    path = b"PATH=/usr/bin:/bin"

    assert entrypoint(*ENVIRON, environ=[path, *given]) == (0, path + b"\0" + passed_on, "")


def test_of_a_reference_that_stands_twice_the_first_counts(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret('{"A": "1"}', "first")) as server:
        environ = [*block(aws(server.url, {"SECRETS_MANAGER_ARN": "first"})), b"SECRETS_MANAGER_ARN=second"]
        ended = entrypoint("true", environ=environ)

    assert ended == (0, b"", "")
    assert [request.json for request in server.requests] == [{"SecretId": "first"}]


def test_arguments_are_the_same_to_the_byte(entrypoint: Entrypoint) -> None:
    arguments = [b"", b"--", b"--help", b"\xff\xfe", "é".encode(), b"a\nb", b"-"]

    assert witness(entrypoint.words, Surroundings(PLAIN), arguments=arguments).arguments[-7:] == arguments


OTHERWISE = {
    "as usual": Surroundings(),
    "signals ignored": Surroundings(
        ignored=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR2, signal.SIGCHLD]
    ),
    "signals blocked": Surroundings(blocked=[signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM]),
    "umask and directory": Surroundings(umask=0o027, directory="/usr"),
    "standard input closed": Surroundings(closed=[0]),
}


@pytest.fixture
def environ(server: Server, transport: str) -> dict[str, str]:
    """That of a function with a secret, over either transport."""
    return aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport)


# What the kernel keeps of a process over exec and the command could tell.
STATE = ("cat", "/proc/self/status", "/proc/self/limits", "/proc/self/personality", "/proc/self/oom_score_adj")
OF_ONE_RUN = ("Vm", "Rss", "Pid", "Tgid", "NS", "PPid", "nonvoluntary", "voluntary", "SigQ", "Cpus_allowed")


def state(out: bytes) -> list[str]:
    return [line for line in out.decode().splitlines() if not line.startswith(OF_ONE_RUN)]


@pytest.mark.parametrize("circumstance", OTHERWISE)
def test_the_process_is_as_it_would_be_without_us(
    entrypoint: Entrypoint, environ: dict[str, str], circumstance: str
) -> None:
    given = OTHERWISE[circumstance]
    ended = entrypoint(*STATE, environ=environ, surroundings=given)

    assert (ended.code, ended.err) == (0, "")
    assert state(ended.out) == state(run(["/bin/cat", *STATE[1:]], given).stdout)


def test_limits_are_as_they_would_be_without_us(entrypoint: Entrypoint) -> None:
    before = shell("ulimit -n 200; ulimit -c 0; ulimit -f 1000")

    assert state(entrypoint(*STATE, before=before).out) == state(run([*before, *STATE], Surroundings(PLAIN)).stdout)


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_sigpipe_and_sigxfsz_are_default_even_if_they_were_ignored(
    entrypoint: Entrypoint, number: signal.Signals
) -> None:
    seen = witness(entrypoint.words, Surroundings(PLAIN, ignored=[number, signal.SIGUSR1]))

    assert seen.ignored == {signal.SIGUSR1}


def descriptors(seen: Witness) -> dict[int, str]:
    """Pipes are new ones for each process."""
    return {number: target.partition(":[")[0] for number, target in seen.descriptors.items()}


def test_descriptors_are_as_they_would_be_without_us(entrypoint: Entrypoint, environ: dict[str, str]) -> None:
    with Path(__file__).open() as file:
        given = Surroundings(environ, descriptors=[file.fileno()])

        assert descriptors(witness(entrypoint.words, given)) == descriptors(witness([], given))


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_standard_descriptors_that_are_closed_stay_closed(
    entrypoint: Entrypoint, environ: dict[str, str], tmp_path: Path, closed: list[int]
) -> None:
    report = ["/bin/sh", "-c", 'cd /proc/$$/fd && echo * >"$0"', f"{tmp_path}/report"]
    run(report, Surroundings(environ, closed=closed))
    expected = (tmp_path / "report").read_text()
    (tmp_path / "report").unlink()
    ended = entrypoint(*report, environ=environ, surroundings=Surroundings(closed=closed))

    assert ended == (0, b"", "")
    assert (tmp_path / "report").read_text() == expected


@pytest.mark.parametrize(("words", "code"), [(["--nonsense"], 2), (["true"], 125), (["no-such-program"], 127)])
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_a_report_that_cannot_be_written_does_not_change_the_exit_code(
    entrypoint: Entrypoint, words: list[str], code: int, redirection: str
) -> None:
    environ = {**PLAIN, "SECRETS_MANAGER_ARN": "no reference"}

    assert entrypoint(*words, environ=environ, before=shell(f"exec {redirection}")) == (code, b"", "")


def test_standard_input_is_still_unread(entrypoint: Entrypoint) -> None:
    ended = run([*entrypoint.words, "cat"], Surroundings(PLAIN), stdin=b"unread\n")

    assert (ended.status, ended.stdout) == (0, b"unread\n")


@pytest.mark.parametrize(
    ("variables", "share"),
    [
        (
            {"SMALL": "x", "LARGE": 100_000 * "x", "OTHER": 90_000 * "y"},
            "190,022 bytes in 3 variables, the largest is LARGE (100,007 ",
        ),
        (
            {f"KEY_{n:04}": 61 * "x" for n in range(3_000)},
            "213,000 bytes in 3,000 variables, the largest is KEY_0000 (71 ",
        ),
    ],
    ids=["large values", "many keys"],
)
def test_an_environment_over_the_kernels_total_is_reported_with_the_share_of_the_secret(
    entrypoint: Entrypoint, variables: dict[str, str], share: str
) -> None:
    with http_server(lambda _: secret(json.dumps(variables))) as server:
        environ = aws(server.url, NAME)
        # Exec takes a quarter of the stack's limit, but not less than 128 KiB (execve(2)).
        ended = entrypoint("true", environ=environ, before=shell("ulimit -s 600"))

    assert (ended.code, ended.out, ended.err.count("\n")) == (125, b"", 1)
    assert f"(E2BIG); secret name (SECRETS_MANAGER_ARN) adds {share}" in ended.err
