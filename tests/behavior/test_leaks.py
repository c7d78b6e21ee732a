"""Nothing leaks: on no failing path does a part of a secret come out."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import Ended, Entrypoint, aws, end, shell
from tests.harness.http_server import Reply, Request, by_length, error, http_server, secret, secret_body, secrets
from tests.harness.process import wait_until

MARKER = 'hunter2"ZXQJ\\é'
PLAIN_MARKERS = ["hunter2", "ZXQJ"]
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
VALUE = "LAMBDA_ENV_VALUE_FROM_"
SSM_PATH = "LAMBDA_ENV_SSM_PATH_"
QUOTED = json.dumps(MARKER)


def traces(text: str) -> list[str]:
    """What of the marker is in `text`: as it is, escaped, or in base64 at each of its three alignments."""
    forms = [*PLAIN_MARKERS, *(quote(part) for part in PLAIN_MARKERS)]
    for shift in range(3):
        for part in PLAIN_MARKERS:
            whole = b64encode(bytes(shift) + part.encode()).decode()
            forms.append(whole[shift + 1 : (shift + len(part)) // 3 * 4])
    forms += ["".join(f"\\u{ord(c):04x}" for c in part) for part in PLAIN_MARKERS]
    forms += [part.encode().hex() for part in PLAIN_MARKERS]
    return [form for form in forms if form in text]


def reply(**body: object) -> Reply:
    return by_length(json.dumps(body).encode())


def parameters(*values: object, path: str = "/") -> Reply:
    return reply(Parameters=[{"Name": f"{path}{index}", "Value": value} for index, value in enumerate(values)])


SECRETS: dict[str, dict[str, Any]] = {
    # The fields of a reply.
    "NO_JSON": {"SecretString": MARKER},
    "HALF": {"SecretString": '{"KEY": ' + QUOTED},
    "AFTER": {"SecretString": '{"KEY": "x"} ' + QUOTED},
    "TWO_LINES": {"SecretString": f"KEY={MARKER}\nOTHER={MARKER}"},
    "NAN": {"SecretString": f'{{"KEY": NaN, "OTHER": {QUOTED}}}'},
    "STRING": {"SecretString": QUOTED},
    "ARRAY": {"SecretString": f"[{QUOTED}]"},
    "EMPTY_KEY": {"SecretString": f'{{"": {QUOTED}}}'},
    "EQUALS_KEY": {"SecretString": f'{{"A=B": {QUOTED}}}'},
    "NUL": {"SecretString": json.dumps({"KEY": f"{MARKER}\0{MARKER}"})},
    "SURROGATE": {"SecretString": json.dumps({"KEY": f"{MARKER}\ud800"})},
    "INSIDE": {"SecretString": json.dumps({"KEY": [MARKER, "\ud800"], "OTHER": {MARKER: "\0\ud800"}})},
    "LONG": {"SecretString": json.dumps({"KEY": 40_000 * MARKER})},
    "RESERVED": {"SecretString": json.dumps({"_HANDLER": MARKER, "AWS_LAMBDA_FUNCTION_NAME": [MARKER]})},
    "DEEP": {"SecretString": '{"KEY": ' + 50_000 * "[" + QUOTED + 50_000 * "]" + "}"},
    "DEEPER": {"SecretString": '{"KEY": ' + 990 * "[" + QUOTED + 990 * "]" + "}"},
    "BINARY": {"SecretBinary": b64encode(MARKER.encode() + b"\xff").decode()},
    "BINARY_TEXT": {"SecretBinary": b64encode(MARKER.encode()).decode()},
    "NO_BASE64": {"SecretBinary": MARKER},
    "OTHER_FIELD": {"Secret": MARKER},
    "OTHER_TYPE": {"SecretString": {"KEY": MARKER}},
    "LENGTHY": {"SecretString": 100_000 * MARKER},
    "OTHER_ARN": {"ARN": f"arn:aws:secretsmanager:{MARKER}", "SecretString": MARKER},
    "OTHER_NAME": {"Name": MARKER, "SecretString": MARKER},
    "OTHER_STAGES": {"VersionStages": [MARKER], "SecretString": MARKER},
}
REPLIES = {
    "NO_REPLY": by_length(MARKER.encode()),
    "BROKEN_REPLY": by_length(secret(f'{{"KEY": {QUOTED}}}').body[:-3]),
    "BAD_UTF8": by_length(secret(MARKER).body + b"\xff"),
    "ERROR_PAGE": by_length(MARKER.encode(), 404),
}


SINGLE = {
    # A secret's text, and what of it is asked for.
    "NO_JSON_KEY": (MARKER, ":KEY"),
    "ARRAY_KEY": (f"[{QUOTED}]", ":KEY"),
    "MISSING_KEY": (f'{{"OTHER": {QUOTED}, "INNER": {{"A": {QUOTED}}}}}', ":INNER.B"),
    "NULL_KEY": (f'{{"KEY": null, "OTHER": {QUOTED}}}', ":KEY"),
    "NUL_KEY": (json.dumps({"KEY": f"{MARKER}\0"}), ":KEY"),
    "NUL_TEXT": (f"{MARKER}\0", ""),
    "SURROGATE_TEXT": (f"{MARKER}\ud800", ""),
    "LONG_TEXT": (40_000 * MARKER, ""),
}
BY_REGION = {
    # SSM's replies; parameters of one region are one call.
    "eu-west-2": by_length(parameters(MARKER).body[:-3]),
    "eu-west-3": parameters([MARKER]),
    "us-east-1": parameters({MARKER: MARKER}),
    "us-east-2": parameters(MARKER, None),
    "us-west-1": reply(Parameters=MARKER),
    "us-west-2": by_length(MARKER.encode(), 404),
    "sa-east-1": parameters(MARKER),
    "ca-west-1": reply(Parameters=[{"Name": MARKER, "Value": MARKER, "ARN": MARKER, "Selector": MARKER}]),
}
BY_PATH = {
    "/same/": reply(Parameters=2 * [{"Name": "/same/a", "Value": MARKER}]),
    "/nul/": parameters(f"{MARKER}\0", path="/nul/"),
    "/long/": parameters(40_000 * MARKER, path="/long/"),
    "/types/": parameters([MARKER], path="/types/"),
    "/elsewhere/": parameters(MARKER),
    "/token/": reply(Parameters=[], NextToken=[MARKER]),
}


def outcome(entrypoint: Entrypoint, environ: dict[str, str], *words: str) -> tuple[Ended, str]:
    """How it ended, and all that came out of it: standard output, standard error, init error."""
    with http_server(lambda _: by_length(b"", 202)) as runtime_api:
        ended = entrypoint(*(words or ("true",)), environ={**environ, "AWS_LAMBDA_RUNTIME_API": runtime_api.address})
    posted = "".join(f"{request.headers}{request.body.decode()}" for request in runtime_api.requests)
    assert ended.code == 0 or posted
    return ended, f"{ended.out.decode()}{ended.err}{posted}"


PROBLEMS = 20  # what one report has room for
REFERENCES = {
    **{PREFIX + name: name for name in (*SECRETS, *REPLIES)},
    **{VALUE + name: name + rest for name, (_, rest) in SINGLE.items()},
    **{VALUE + region: f"arn:aws:ssm:{region}:123456789012:parameter/x" for region in BY_REGION},
    **{SSM_PATH + path.strip("/"): path for path in BY_PATH},
}


def answer_badly(request: Request) -> Reply:
    if "SecretId" not in request.json:
        return BY_PATH[request.json["Path"]] if "Path" in request.json else BY_REGION[request.region]
    name = request.json["SecretId"]
    if name in REPLIES:
        return REPLIES[name]
    return by_length(secret_body(name, **SECRETS[name])) if name in SECRETS else secret(SINGLE[name][0], name)


@pytest.fixture(scope="module")
def everything(entrypoint: Entrypoint, transport: str) -> str:
    """All that comes out of a function with each bad secret, single value, parameter and path."""
    outputs = []
    with http_server(answer_badly) as server:
        for first in range(0, len(REFERENCES), PROBLEMS):
            references = dict(list(REFERENCES.items())[first : first + PROBLEMS])
            environ = aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport, AWS_ENDPOINT_URL_SSM=server.url)
            ended, output = outcome(entrypoint, environ)
            assert ended.code == 125
            outputs.append(output)
    return "".join(outputs)


REASONS = {
    # For some of them, what the report says beside the reference.
    "NO_JSON": "secret NO_JSON: the secret is not valid JSON: it is plain text; store an object such as {",
    "ARRAY": "secret ARRAY: the secret must be a JSON object, not an array; store an object such as {",
    "EMPTY_KEY": 'secret EMPTY_KEY: key "": a variable name must not be empty',
    "NUL": 'secret NUL: key "KEY": the value contains NUL',
    "LONG": 'secret LONG: key "KEY": the variable would take ',
    "RESERVED": 'secret RESERVED: keys "_HANDLER", ',
    "DEEP": "secret DEEP: the secret's JSON is nested more than 100 levels deep",
    "BINARY": "secret BINARY: the secret is binary but not valid UTF-8",
    "OTHER_FIELD": "secret OTHER_FIELD: the reply contains neither SecretString nor SecretBinary",
}


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_each_failure_is_reported(everything: str, name: str) -> None:
    assert f"run-lambda-entrypoint: {name}: {REASONS.get(name.removeprefix(PREFIX), '')}" in everything


def test_no_part_of_a_value_is_shown(everything: str) -> None:
    assert traces(everything) == []


def test_the_search_finds_each_form_of_the_marker() -> None:
    assert [
        bool(traces(form))
        for form in (
            f"x{MARKER}x",
            QUOTED,
            repr(MARKER),
            quote(MARKER),
            b64encode(MARKER.encode()).decode(),
            b64encode(b"x" + MARKER.encode()).decode(),
            b64encode(b"xy" + MARKER.encode()).decode(),
            MARKER.encode().hex(),
            "".join(f"\\u{ord(c):04x}" for c in MARKER),
            "nothing",
        )
    ] == [True] * 9 + [False]


TEXT = json.dumps({"KEY": MARKER, "OTHER": [MARKER]})
NAME = {"SECRETS_MANAGER_ARN": "name"}


@pytest.mark.slow
def test_a_reply_that_is_cut_again_and_again_is_not_told(entrypoint: Entrypoint, transport: str) -> None:
    with http_server(lambda _: secret(TEXT).cut(-5)) as server:
        environ = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_TIMEOUT_SECONDS="3")
        ended, output = outcome(entrypoint, environ)

    assert (ended.code, traces(output)) == (125, [])


@pytest.mark.parametrize("first_line", ["#!/no/such/interpreter", "no format"])
def test_a_command_that_cannot_be_started_with_the_secrets_does_not_tell_them(
    entrypoint: Entrypoint, tmp_path: Path, first_line: str
) -> None:
    command = tmp_path / "command"
    command.write_text(f"{first_line}\n")
    command.chmod(0o755)
    with http_server(lambda _: secret(TEXT)) as server:
        ended, output = outcome(entrypoint, aws(server.url, NAME), str(command))

    assert (ended.code in (126, 127), traces(output)) == (True, [])


def test_an_environment_that_the_kernel_refuses_is_not_told(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret(json.dumps({"KEY": 7000 * MARKER, "OTHER": 7000 * MARKER}))) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME), before=shell("ulimit -s 600"))

    assert (ended.code, traces(ended.err)) == (125, [])


def test_a_secret_that_came_before_an_interruption_is_not_told(entrypoint: Entrypoint, transport: str) -> None:
    def answer(request: Request) -> Reply:
        return secret(TEXT, "quick") if request.json["SecretId"] == "quick" else error(500, "Again")

    with http_server(answer) as server:
        references = {"SECRETS_MANAGER_ARN": "quick", f"{PREFIX}B": "never"}
        environ = aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_TIMEOUT_SECONDS="60")
        with entrypoint.started("true", environ=environ) as process:
            wait_until(lambda: len(server.requests) > 3, what="both secrets to be asked for")
            process.terminate()
            ended = end(process, seconds=20)

    assert (ended.code, traces(ended.err)) == (143, [])


def test_a_secret_that_came_while_another_failed_is_not_told(entrypoint: Entrypoint, transport: str) -> None:
    names = {"good": TEXT, "identity": IDENTITY}
    denied = error(400, "AccessDeniedException")
    with http_server(lambda each: denied if each.json["SecretId"] == "bad" else secrets(names)(each)) as server:
        references = {PREFIX + name.upper(): name for name in (*names, "bad")}
        ended, output = outcome(entrypoint, aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport))

    assert (ended.code, traces(output)) == (125, [])


def test_what_is_made_of_values_does_not_tell_them(entrypoint: Entrypoint, transport: str) -> None:
    names = {
        "LAMBDA_ENV_NAMES": "shell",
        "LAMBDA_ENV_PREFIX": "P_",
        "LAMBDA_ENV_REQUIRED": "P_KEY, COMPOSED",
        "LAMBDA_ENV_TEMPLATE_COMPOSED": "{P_KEY}{P_KEY:url}",
        "LAMBDA_ENV_BASE64_FROM_STORE": "name:KEY",
        "LAMBDA_ENV_ON_OVERRIDE": "keep",
        "P_OTHER": MARKER,
    }
    told = []
    with http_server(lambda _: secret(TEXT)) as server:
        environ = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_LOG_LEVEL="debug", **names)
        for changed in (
            {},
            {"LAMBDA_ENV_TEMPLATE_COMPOSED": f"{MARKER}{{P_KEY}}{{{MARKER}}}"},
            {"LAMBDA_ENV_TEMPLATE_COMPOSED": f"{MARKER}{{"},
            {"LAMBDA_ENV_TEMPLATE_COMPOSED": "{P_KEY}" * 10_000},
            {"LAMBDA_ENV_REQUIRED": f"{MARKER}, P_KEYS"},
            {"LAMBDA_ENV_PREFIX": MARKER},
        ):
            ended, output = outcome(entrypoint, {**environ, **changed})
            told.append((ended.code, traces(output)))
        dry = entrypoint("--dry-run", environ=environ)
    assert told == [(0, []), *[(125, [])] * 5]
    assert (dry.code, traces(dry.out.decode() + dry.err)) == (0, [])


IDENTITY = json.dumps({"AWS_ACCESS_KEY_ID": MARKER, "AWS_SECRET_ACCESS_KEY": MARKER, "AWS_REGION": MARKER})


def test_a_warning_about_credentials_in_a_secret_does_not_tell_them(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret(IDENTITY)) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME))

    assert (ended.code, ended.err.count("warning"), traces(ended.err)) == (0, 3, [])


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(403, "InvalidSignatureException", "The request signature we calculated does not match"), 125),
        (error(403, "UnrecognizedClientException"), 125),
        (by_length(b"no JSON"), 125),
    ],
)
def test_the_functions_own_credentials_are_not_told(
    entrypoint: Entrypoint, transport: str, reply: Reply, code: int
) -> None:
    own = {"AWS_SECRET_ACCESS_KEY": MARKER, "AWS_SESSION_TOKEN": "hunter2ZXQJ"}
    with http_server(lambda _: reply) as server:
        environ = {**aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport), **own}
        ended, output = outcome(entrypoint, environ)

    assert (ended.code, traces(output)) == (code, [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "[default]\naws_access_key_id = AKID\naws_secret_access_key hunter2\n",
        "aws_secret_access_key = hunter2\n",
        "[default]\naws_access_key_id = AKID\n[default]\naws_secret_access_key = hunter2\n",
        "[default\naws_secret_access_key = hunter2\n",
        "[default]\ncredential_process = /no/such/program hunter2\n",
    ],
)
def test_a_broken_credentials_file_is_not_told(entrypoint: Entrypoint, tmp_path: Path, text: str) -> None:
    (tmp_path / "file").write_text(text)
    files = {"AWS_SHARED_CREDENTIALS_FILE": f"{tmp_path}/file", "AWS_CONFIG_FILE": f"{tmp_path}/file"}
    environ = aws(f"http://127.0.0.1:{free_port()}", NAME, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", **files)
    ended, output = outcome(entrypoint, environ)

    assert (ended.code, traces(output)) == (125, [])


@pytest.mark.parametrize("words", [[], ["--dry-run"], ["--dry-run", "--format", "json"]])
@pytest.mark.parametrize("policy", ["warn", "deny"])
def test_neither_dry_run_nor_debug_output_nor_overrides_tell_a_value(
    entrypoint: Entrypoint, words: list[str], policy: str
) -> None:
    def answer(asked: Request) -> Reply:
        if "SecretId" in asked.json:
            return secret(TEXT, asked.json["SecretId"])
        return parameters(MARKER, MARKER) if "Path" in asked.json else parameters(MARKER)

    references = {
        **NAME,
        f"{PREFIX}B": "other",
        f"{VALUE}KEY": "name:KEY",
        f"{VALUE}WHOLE": "name",
        f"{VALUE}P": "arn:aws:ssm:eu-west-1:123456789012:parameter/0",
        f"{SSM_PATH}P": "/",
    }
    with http_server(answer) as server:
        environ = aws(server.url, references, AWS_ENDPOINT_URL_SSM=server.url, KEY=MARKER)
        options = {"LAMBDA_ENV_LOG_LEVEL": "debug", "LAMBDA_ENV_ON_OVERRIDE": policy}
        ended, output = outcome(entrypoint, {**environ, **options}, *words, "true")

    assert (ended.code, "overrides KEY" in output, traces(output)) == (125 * (policy == "deny"), True, [])
