"""docs/operations.md: its figures are the program's, its messages are what the program says, its queries find what the
program logs, and its commands run, with a stand-in for the `aws` command."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session

from run_lambda_entrypoint.aws.send import MAX_THREADS
from run_lambda_entrypoint.loading.parameter_store import BATCH_SIZE
from run_lambda_entrypoint.options import SETTINGS
from tests.harness.entrypoint import TRANSPORTS, Entrypoint, aws
from tests.harness.http_server import Reply, Request, by_length, error, http_server, secret, secret_body, secrets
from tests.harness.pages import measured

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [block for language, block in BLOCKS if language == "sh"]
QUERIES = [block for language, block in BLOCKS if not language and block.startswith("filter ")]
VERSION = "11111111-2222-3333-4444-555555555555"
LEVEL_INFO = {"LAMBDA_ENV_LOG_LEVEL": "info"}
JSON_LOGS = {"AWS_LAMBDA_LOG_FORMAT": "JSON"}


def only(blocks: list[str], text: str) -> str:
    """The one block with this text."""
    [found] = [block for block in blocks if text in block]
    return found


def answer(_: Request) -> Reply:
    return by_length(secret_body("prod/app", SecretString='{"A": "1"}', VersionId=VERSION))


def log(entrypoint: Entrypoint, **more: str) -> str:
    """What a good start logs."""
    with http_server(answer) as server:
        return entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, **more)).err


# -- Figures and messages


def test_the_figures_are_those_of_the_program() -> None:
    [timeout] = [setting.default for setting in SETTINGS if setting.variable == "LAMBDA_ENV_TIMEOUT_SECONDS"]
    assert f"until the deadline, {float(timeout):g} s by default" in PAGE
    assert f"Up to {MAX_THREADS} calls are made at a time" in PAGE
    assert BATCH_SIZE == 10
    assert PAGE.count("up to ten parameters") == 2


@pytest.mark.parametrize(
    "reply",
    [
        error(500, "InternalServiceError", "An error occurred on the server side"),
        error(400, "ThrottlingException", "Rate exceeded"),
    ],
)
def test_a_report_on_the_page_is_what_the_program_says(entrypoint: Entrypoint, reply: Reply) -> None:
    with http_server(lambda _: reply) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, LAMBDA_ENV_TIMEOUT_SECONDS="1")
        ended = entrypoint("true", environ=environ)
    assert f"```\n{ended.err.replace('within 1 s', 'within 8 s')}```\n" in PAGE


def test_what_callers_get_of_the_error_type_only_is_on_the_page(entrypoint: Entrypoint) -> None:
    [posted] = [json.loads(block) for language, block in BLOCKS if language == "json"]
    with (
        http_server(lambda _: by_length(b"{}", 202)) as runtime_api,
        http_server(lambda _: error(500, "InternalServiceError")) as server,
    ):
        more = {"AWS_LAMBDA_RUNTIME_API": runtime_api.address, "LAMBDA_ENV_INIT_ERROR": "type"}
        more["LAMBDA_ENV_TIMEOUT_SECONDS"] = "1"
        entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, **more))
    assert [request.json for request in runtime_api.requests] == [posted]


def test_the_times_of_a_start_are_those_of_the_benchmark() -> None:
    direct, botocore = measured("run-lambda-entrypoint"), measured("run-lambda-entrypoint over botocore")
    [shown, more] = re.findall(r"took about (\d+) ms, and about (\d+) ms more with botocore", PAGE)[0]
    assert float(shown) == pytest.approx(direct, abs=2)
    assert float(more) == pytest.approx(botocore - direct, abs=10)
    assert f"It takes about {more} ms more" in PAGE


# -- SnapStart


def keys_and_secret(request: Request) -> Reply:
    """The credentials that Lambda's endpoint gives, and Secrets Manager."""
    keys = {"AccessKeyId": "x", "SecretAccessKey": "x", "Token": "x", "Expiration": "2099-01-01T00:00:00Z"}
    return by_length(json.dumps(keys).encode()) if request.method == "GET" else secret('{"A": "1"}')


@pytest.mark.parametrize(("transport", "code"), [("auto", 0), ("direct", 125)])
def test_with_the_credentials_of_snapstart_the_transport_is_botocores(
    entrypoint: Entrypoint, transport: str, code: int
) -> None:
    with http_server(keys_and_secret) as server:
        more = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "LAMBDA_ENV_TRANSPORT": transport}
        more["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{server.url}/credentials"
        more["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "token"
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_LOG_LEVEL="debug", **more)
        ended = entrypoint("true", environ=environ)
    assert ended.code == code
    assert ("transport botocore: AWS_ACCESS_KEY_ID is not set" in ended.err) == (code == 0)


# -- Queries of Logs Insights


def parsed(query: str, text: str) -> str:
    """What `parse @message 'a*b' as …` finds in a line that the first filter lets through."""
    [(field, pattern)] = re.findall(r"^filter (@?message) like /(.+)/$", query, re.MULTILINE)
    assert re.search(pattern, json.loads(text)["message"] if field == "message" else text)
    [glob] = re.findall(r"parse @message '(.+)' as version", query)
    before, after = map(re.escape, glob.split("*"))
    found = re.search(f"{before}(.*?){after}", text)
    return found[1] if found else ""


@pytest.mark.parametrize(("query", "more"), [("^loaded", JSON_LOGS), ("info: loaded", {})], ids=["JSON", "text"])
def test_a_query_finds_the_version_that_a_start_loaded(
    entrypoint: Entrypoint, query: str, more: dict[str, str]
) -> None:
    line = log(entrypoint, **LEVEL_INFO, **more)
    found = only([each for each in QUERIES if "as version" in each], query)
    assert parsed(found, line) == VERSION
    assert parsed(found, line.replace("prod/app", "prod/other")) == ""


def test_the_query_for_the_start_time_uses_a_field_of_the_log(entrypoint: Entrypoint) -> None:
    line = json.loads(log(entrypoint, **LEVEL_INFO, **JSON_LOGS))
    query = only(QUERIES, "pct(")
    assert set(re.findall(r"(?:pct|max)\((\w+)", query)) <= line.keys()
    assert line["message"].startswith("loaded")


def test_the_query_for_failures_uses_fields_of_the_log(entrypoint: Entrypoint) -> None:
    with http_server(secrets({"prod/app": "[]"})) as server:
        line = json.loads(
            entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, **JSON_LOGS)).err
        )
    [fields] = re.findall(r"by @log, (.*)", only(QUERIES, "filter errorType"))
    assert set(fields.split(", ")) <= line.keys()
    [prefix] = re.findall(r"filter errorType like /(.+)/", PAGE)
    assert re.search(prefix, line["errorType"])


# -- Commands

AWS_STAND_IN = """#!/bin/sh
echo "$@" >>"$CALLS"
case $* in
*--query\\ Environment.Variables*) jq .Variables "$ENVIRONMENT" ;;
*--query\\ Environment*) cat "$ENVIRONMENT" ;;
*--query\\ Version*) echo 7 ;;
*lookup-events*) cat "$EVENTS" ;;
esac
"""
# As `docker run`: the variables are those of the file, and --entrypoint's arguments stand behind the image.
DOCKER_STAND_IN = """#!{python}
import os, sys
variables = dict(line.rstrip("\\n").split("=", 1) for line in open(sys.argv[sys.argv.index("--env-file") + 1]))
passed = {{name: os.environ[name] for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}}
arguments = sys.argv[sys.argv.index(os.environ["IMAGE"]) + 1 :]
os.execve({words}[0], [*{words}, *arguments], variables | passed)
"""


class Shell:
    """Runs the page's commands in a folder of their own, with stand-ins for `aws` and `docker`."""

    def __init__(self, folder: Path, entrypoint: Entrypoint) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        docker = DOCKER_STAND_IN.format(python=sys.executable, words=entrypoint.words)
        for name, text in {"aws": AWS_STAND_IN, "docker": docker}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self.environ = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "CALLS": str(folder / "calls"),
            "ENVIRONMENT": str(folder / "configured.json"),
            "EVENTS": str(folder / "events.json"),
            "IMAGE": "example@sha256:0",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }

    def __call__(self, block: str) -> str:
        script = ["/bin/bash", "-euo", "pipefail", "-c", block]
        ended = subprocess.run(script, cwd=self.folder, env=self.environ, capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")
        return ended.stdout

    def configure(self, variables: dict[str, str]) -> None:
        (self.folder / "configured.json").write_text(json.dumps({"Variables": variables}))

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture
def shell(tmp_path: Path, entrypoint: Entrypoint) -> Shell:
    if not shutil.which("jq"):
        pytest.skip("the page's commands need jq")
    return Shell(tmp_path, entrypoint)


def test_a_forced_renewal_adds_a_variable_and_keeps_all_others(shell: Shell) -> None:
    shell.configure({"SECRETS_MANAGER_ARN": "prod/app", "LEVEL": 'say "hello"'})
    shell(only(COMMANDS, "SECRETS_LOADED_AFTER"))
    variables = shell.read("environment.json")["Variables"]
    assert variables.pop("SECRETS_LOADED_AFTER")
    assert variables == {"SECRETS_MANAGER_ARN": "prod/app", "LEVEL": 'say "hello"'}


def test_a_dry_run_in_a_pipeline_has_the_functions_variables(shell: Shell) -> None:
    with http_server(answer) as server:
        more = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.url, "AWS_EC2_METADATA_DISABLED": "true"}
        shell.configure({"PATH": "/usr/bin:/bin", "SECRETS_MANAGER_ARN": "prod/app", **more})
        shell(only(COMMANDS, "--dry-run"))
    assert [each["variable"] for each in shell.read("new.json")["variables"]] == ["A"]
    shutil.copy(shell.folder / "new.json", shell.folder / "old.json")
    assert shell(only(COMMANDS, "diff old.json")) == ""


@pytest.mark.parametrize("block", [block for block in COMMANDS if "$version" in block and "publish-version" in block])
def test_traffic_is_moved_to_the_version_that_was_published(shell: Shell, block: str) -> None:
    shell(block)
    last = (shell.folder / "calls").read_text().splitlines()[-1]
    assert "update-alias" in last
    assert re.search(r"--function-version 7$|AdditionalVersionWeights=\{7=0\.1\}", last)


def test_the_inventory_has_functions_and_versions_whatever_the_transport(shell: Shell, entrypoint: Entrypoint) -> None:
    agents = ["aws-cli/2.0", None]
    for transport in TRANSPORTS:
        with http_server(answer) as server:
            environ = aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, LAMBDA_ENV_TRANSPORT=transport)
            entrypoint("true", environ=environ)
        agents += [request.headers["user-agent"] for request in server.requests]
    role = "arn:aws:sts::123456789012:assumed-role/role/my-function"
    events = [json.dumps({"userAgent": agent, "userIdentity": {"arn": role}}) for agent in agents]
    Path(shell.environ["EVENTS"]).write_text(json.dumps(events))
    found = shell(only(COMMANDS, "lookup-events"))
    version = entrypoint("--version").out.decode().split()[1]
    assert found.split() == ["2", "my-function", version]

    [pattern] = re.findall(r"regexp_extract\(useragent, '(.+)', 1\)", PAGE)
    assert [re.findall(pattern, agent) for agent in agents if agent] == [[], [version], [version]]


def options() -> list[tuple[str, str, str]]:
    """Service, operation and option of each `aws` command of the page, without those that every command has."""
    found = []
    for block in COMMANDS:
        for command in re.findall(r"\baws ((?:[^|\n]|\\\n)+)", block.replace("\\\n", " ")):
            service, operation, *words = shlex.split(command.replace("$(", "").replace(")", ""), comments=False)
            names = [word[2:] for word in words if word.startswith("--")]
            found += [(service, operation, name) for name in names if name not in ("query", "output")]
    return found


@pytest.mark.parametrize(("service", "operation", "option"), sorted(set(options())))
def test_each_option_of_an_aws_command_exists(service: str, operation: str, option: str) -> None:
    """According to the operation's model, of whose names the AWS CLI makes options."""
    model = Session().get_service_model(service)
    if operation == "wait":
        operation = "get-function"
    [shape] = [
        model.operation_model(name).input_shape for name in model.operation_names if xform_name(name, "-") == operation
    ]
    assert shape is not None
    assert option in [xform_name(name, "-") for name in shape.members]
