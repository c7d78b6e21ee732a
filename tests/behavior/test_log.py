"""Standard error: silent on success, each step at level debug, one JSON object a line where Lambda asks for that."""

import json
import re
import shutil

import pytest

from tests.behavior.test_leaks import MARKER, traces
from tests.harness.entrypoint import PLAIN, Ended, Entrypoint, aws
from tests.harness.http_server import Reply, Request, error, http_server, secret, secrets

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
REFERENCES = {"SECRETS_MANAGER_ARN": "app", f"{PREFIX}RDS": "rds"}
AS_JSON = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}
DASH = shutil.which("dash") or ""
DEBUG = {"LAMBDA_ENV_LOG_LEVEL": "debug"}
TEXTS = {
    "app": json.dumps({"HOST": MARKER, "OWN": MARKER, "AWS_REGION": MARKER}),
    "rds": json.dumps({"HOST": [MARKER]}),
}


def answer(request: Request) -> Reply:
    return secrets(TEXTS)(request)


@pytest.fixture(scope="module")
def debug(entrypoint: Entrypoint, transport: str) -> Ended:
    """A start at level debug, with HOST for the server; one error is transient."""
    left = [error(500, "InternalServiceError", "once more")]
    with http_server(lambda request: left.pop() if left else answer(request)) as server:
        own = {"OWN": MARKER, "AWS_SESSION_TOKEN": "hunter2ZXQJ", "LAMBDA_ENV_TRANSPORT": transport}
        ended = entrypoint("--log-level", "debug", "true", environ=aws(server.url, REFERENCES, **own))
        return ended._replace(err=ended.err.replace(server.address, "HOST"))


STEPS = {
    "the transport and why": "transport (direct|botocore): requested by LAMBDA_ENV_TRANSPORT",
    "host and time": "GetSecretValue app: HOST answered in N ms",
    "of each secret": "GetSecretValue rds: HOST answered in N ms",
    "an attempt that failed": (
        "GetSecretValue (app|rds): attempt 1 failed: InternalServiceError: once more; retrying in N ms"
    ),
    "where a key came from and what it overrode": (
        r"HOST from secret rds \(\S+_RDS\), overriding secret app \(SECRETS_MANAGER_ARN\)"
    ),
    "what of the function it overrode": r"OWN from secret app \(\S+\), overriding the function's configuration",
    "what is started": "start /usr/bin/true|start /bin/true",
}


@pytest.mark.parametrize("step", STEPS)
def test_debug_logs(debug: Ended, step: str) -> None:
    steps = [re.sub(r"[0-9.]+ ms", "N ms", line) for line in debug.err.splitlines()]
    line = re.compile(f"run-lambda-entrypoint: debug: N ms: ({STEPS[step]})")
    assert [bool(line.fullmatch(told)) for told in steps].count(True) == 1, debug.err


def test_debug_starts_the_command_and_writes_to_standard_error_alone(debug: Ended) -> None:
    assert (debug.code, debug.out) == (0, b"")


def test_debug_shows_no_value(debug: Ended) -> None:
    assert traces(debug.err) == []


def test_debug_shows_no_value_when_a_secret_fails(entrypoint: Entrypoint, transport: str) -> None:
    replies = {"app": secret(TEXTS["app"], "app"), "rds": secret(MARKER, "rds")}
    with http_server(lambda request: replies[request.json["SecretId"]]) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport, **DEBUG)
        ended = entrypoint("true", environ=environ)

    assert (ended.code, traces(ended.err)) == (125, [])


@pytest.mark.parametrize("level", ["", "warning", "error"])
def test_above_info_a_success_is_silent(entrypoint: Entrypoint, level: str) -> None:
    with http_server(secrets(dict.fromkeys(REFERENCES.values(), '{"a-key": "value\\n"}'))) as server:
        environ = aws(server.url, REFERENCES, LAMBDA_ENV_LOG_LEVEL=level)
        assert entrypoint("true", environ=environ) == (0, b"", "")


@pytest.mark.parametrize(("level", "warnings"), [("info", 1), ("warning", 1), ("error", 0)])
def test_at_level_error_there_are_no_warnings(entrypoint: Entrypoint, level: str, warnings: int) -> None:
    environ = {**PLAIN, "LAMBDA_ENV_TYPO": "x", "LAMBDA_ENV_LOG_LEVEL": level}
    ended = entrypoint("true", environ=environ)

    assert (ended.code, ended.err.count(": warning: ")) == (0, warnings)


NAMES = 'variables whose names are not valid in a shell (dash drops them): "db-password", "api.key"'
ODD = json.dumps({"db-password": MARKER, "api.key": f"{MARKER}\n", "PLAIN": MARKER})


@pytest.mark.parametrize("level", ["info", "debug"])
def test_names_that_a_shell_drops_are_told(entrypoint: Entrypoint, level: str) -> None:
    with http_server(lambda _: secret(ODD, "app")) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "app"}, LAMBDA_ENV_LOG_LEVEL=level)
        ended = entrypoint("/bin/sh", "-c", "env", environ=environ)
    told = [line for line in ended.err.splitlines() if " info: " in line]
    assert (ended.code, told[0], traces(ended.err)) == (0, f"run-lambda-entrypoint: info: {NAMES}", [])
    summary = "run-lambda-entrypoint: info: loaded 3 variables in "
    assert [line.startswith(summary) for line in told] == [False, True]
    if level == "info":
        assert ended.err.splitlines() == told


@pytest.mark.skipif(not DASH, reason="there is no dash here")
def test_a_shell_does_drop_them(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret(ODD, "app")) as server:
        ended = entrypoint(DASH, "-c", "env", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "app"}))
    assert [name in ended.out for name in (b"db-password", b"api.key", b"PLAIN=")] == [False, False, True]


def test_debug_tells_which_values_end_with_a_line_break(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret(ODD, "app")) as server:
        ended = entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "app"}, **DEBUG))
    assert ended.err.count('ms: variables whose values end with a line break: "api.key"\n') == 1


@pytest.mark.parametrize(("level", "told"), [("debug", 1), ("info", 0), ("", 0)])
def test_debug_tells_that_there_is_no_reference(entrypoint: Entrypoint, level: str, told: int) -> None:
    ended = entrypoint("true", environ={**PLAIN, "LAMBDA_ENV_LOG_LEVEL": level})
    assert (ended.code, ended.err.count(" ms: no reference found\n")) == (0, told)


@pytest.mark.parametrize("text", ["{}", '{"A": null, "B": null}'])
def test_a_reference_that_sets_nothing_is_a_warning(entrypoint: Entrypoint, transport: str, text: str) -> None:
    with http_server(secrets({"app": '{"KEY": "value"}', "rds": text})) as server:
        ended = entrypoint("true", environ=aws(server.url, REFERENCES, LAMBDA_ENV_TRANSPORT=transport))
    line = f"secret rds ({PREFIX}RDS) sets no variable: it has no keys, or all of them are null"
    assert ended == (0, b"", f"run-lambda-entrypoint: warning: {line}\n")


# -- JSON


@pytest.fixture(scope="module")
def failed(entrypoint: Entrypoint) -> list[dict[str, str]]:
    """The lines of a start with a warning and two failures, in JSON."""
    replies = {"app": error(400, "AccessDeniedException", 'no "right"\nto it'), "rds": secret(MARKER, "rds")}
    with http_server(lambda request: replies[request.json["SecretId"]]) as server:
        ended = entrypoint("true", environ=aws(server.url, REFERENCES, LAMBDA_ENV_TYPO="x", **AS_JSON))
    assert ended.code == 125
    return [json.loads(line) for line in ended.err.splitlines()]


def test_in_json_each_line_has_its_fields(failed: list[dict[str, str]]) -> None:
    plain, failure = {"timestamp", "level", "message"}, {"errorType", "reference", "source"}
    assert [set(line) for line in failed] == [plain, plain | failure, plain | failure]


def test_in_json_each_line_has_its_level_and_subject(failed: list[dict[str, str]]) -> None:
    fields = ("level", "errorType", "reference", "source")
    assert [tuple(line.get(field) for field in fields) for line in failed] == [
        ("WARNING", None, None, None),
        ("ERROR", "Function.SecretAccessDenied", "SECRETS_MANAGER_ARN", "app"),
        ("ERROR", "Function.InvalidSecret", f"{PREFIX}RDS", "rds"),
    ]


def test_in_json_the_message_is_that_of_the_text(failed: list[dict[str, str]]) -> None:
    beginning = r'SECRETS_MANAGER_ARN: secret app: AccessDeniedException: no "right"\nto it; allow it in the role'
    assert failed[1]["message"].startswith(beginning)


def test_in_json_a_time_is_in_utc_with_milliseconds(failed: list[dict[str, str]]) -> None:
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert [bool(form.fullmatch(line["timestamp"])) for line in failed] == [True] * 3


@pytest.mark.parametrize(
    ("words", "environ", "error_type"),
    [
        (["--nonsense"], {}, "Function.InvalidArguments"),
        (["true"], {"LAMBDA_ENV_LOG_LEVEL": "loud"}, "Function.InvalidConfiguration"),
        (["no-such-program"], {}, "Function.CommandNotFound"),
    ],
)
def test_in_json_every_failure_is_a_line(
    entrypoint: Entrypoint, words: list[str], environ: dict[str, str], error_type: str
) -> None:
    ended = entrypoint(*words, environ={**PLAIN, **AS_JSON, **environ})
    (line,) = map(json.loads, ended.err.splitlines())

    assert (line["level"], line["errorType"]) == ("ERROR", error_type)


def test_in_json_each_step_is_a_line_without_a_value(entrypoint: Entrypoint) -> None:
    texts = {**TEXTS, "rds": ODD}
    with http_server(secrets(texts)) as server:
        ended = entrypoint("true", environ=aws(server.url, REFERENCES, **AS_JSON, **DEBUG))

    levels = {json.loads(line)["level"] for line in ended.err.splitlines()}
    assert (ended.code, levels, traces(ended.err)) == (0, {"DEBUG", "INFO", "WARNING"}, [])


@pytest.mark.parametrize("value", ["Text", "", "json"])
def test_any_other_format_is_text(entrypoint: Entrypoint, value: str) -> None:
    ended = entrypoint("no-such-program", environ={**PLAIN, "AWS_LAMBDA_LOG_FORMAT": value})

    assert ended.err.startswith("run-lambda-entrypoint: ")
