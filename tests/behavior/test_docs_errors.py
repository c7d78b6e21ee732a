"""docs/errors.md: its tables are the program's, its examples are what the program prints, its messages exist."""

import ast
import json
import re
from pathlib import Path

import pytest

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.errors import MAX_PROBLEM_SIZE, MAX_PROBLEMS
from run_lambda_entrypoint.log import MAX_LINE_SIZE
from run_lambda_entrypoint.reporting.hints import POLICIES
from run_lambda_entrypoint.reporting.runtime_api import MAX_SIZE
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import Server, by_length, http_server, secret, secret_body, secrets
from tests.harness.pages import quoted, section, table
from tests.harness.secrets_api import SecretsApi

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/errors.md").read_text()
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, errors.Kind)]


def examples(heading: str) -> list[str]:
    """The blocks below a heading."""
    return re.findall(r"^```\w*\n(.*?)^```$", section(PAGE, heading), re.DOTALL | re.MULTILINE)


# -- codes and types


def test_the_exit_codes_are_the_catalogs() -> None:
    codes = [int(code) for row in table(PAGE, "## Exit codes")[:-1] for code in row[0].split(", ")]
    assert codes == sorted({kind.exit_code for kind in KINDS})


def test_the_page_has_each_error_type_with_its_exit_codes_and_meanings() -> None:
    expected: dict[str, list[errors.Kind]] = {}
    for kind in KINDS:
        expected.setdefault(kind.error_type, []).append(kind)
    assert table(PAGE, "## Error types") == [
        [
            f"`{error_type}`",
            ", ".join(dict.fromkeys(str(kind.exit_code) for kind in kinds)),
            "; ".join(kind.meaning for kind in kinds),
        ]
        for error_type, kinds in expected.items()
    ]


# -- what is printed


def test_the_report_of_three_mistakes_is_what_the_program_prints(
    entrypoint: Entrypoint, secrets_api: SecretsApi
) -> None:
    secrets_api.create_secret("prod/list", "[]")
    secrets_api.create_secret("prod/broken", '{"user": "app"\n "password": "app"}')
    references = {
        "SECRETS_MANAGER_ARN": "prod/missing",
        "LAMBDA_ENV_SECRETS_MANAGER_ARN_APP": "prod/list",
        "LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS": "prod/broken",
    }
    ended = entrypoint("true", environ=secrets_api.environ(**PLAIN, **references))

    assert [ended.err] == examples("## What a report looks like")


@pytest.mark.parametrize(("number", "value"), [(0, "full"), (1, "type")])
def test_what_callers_see_is_what_the_program_posts(entrypoint: Entrypoint, number: int, value: str) -> None:
    with http_server(lambda _: by_length(b"{}", 202)) as runtime_api:
        settings = {"DB_HOST": "", "LAMBDA_ENV_REQUIRED": "DB_HOST", "LAMBDA_ENV_INIT_ERROR": value}
        entrypoint("true", environ={**PLAIN, **settings, "AWS_LAMBDA_RUNTIME_API": runtime_api.address})

    [posted] = runtime_api.requests
    assert posted.body.decode() + "\n" == examples("## What callers see")[number]


def test_the_json_log_is_what_the_program_prints(entrypoint: Entrypoint) -> None:
    with http_server(secrets({"prod/list": "[]"})) as server:
        references = {"LAMBDA_ENV_SECRETS_MANAGER_ARN_APP": "prod/list"}
        ended = entrypoint("true", environ=aws(server.url, references, AWS_LAMBDA_LOG_FORMAT="JSON"))

    [example] = examples("## Log format")
    printed, shown = json.loads(ended.err), json.loads(example)
    assert re.sub(r"\d", "0", printed.pop("timestamp")) == re.sub(r"\d", "0", shown.pop("timestamp"))
    assert printed == shown


VERSION = "22222222-2222-2222-2222-222222222222"


@pytest.mark.parametrize(("number", "level"), [(0, "info"), (1, "debug")])
def test_the_log_of_a_start_is_what_the_program_prints(entrypoint: Entrypoint, number: int, level: str) -> None:
    text = '{"HOST": "app", "USER": "app"}'
    body = secret_body("prod/app", "eu-central-1", SecretString=text, VersionId=VERSION)
    with http_server(lambda _: by_length(body)) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "prod/app"}, HOST="own", LAMBDA_ENV_LOG_LEVEL=level)
        printed = entrypoint("true", environ={**environ, "AWS_REGION": "eu-central-1"}).err

    assert as_on_the_page(printed, server) == re.sub(r"\d+\.\d ms", "0.0 ms", examples("## Log levels")[number])


def as_on_the_page(log: str, server: Server) -> str:
    """A log with the host and the command that the page has, and without times."""
    named = log.replace(server.address, "secretsmanager.eu-central-1.amazonaws.com")
    named = re.sub(r"start \S+/true", "start /usr/bin/python3", named)
    return re.sub(r"\d+\.\d ms", "0.0 ms", named)


def test_the_sizes_of_reports_are_the_programs() -> None:
    text = " ".join(PAGE.split())
    assert f"at most {MAX_PROBLEMS} problems of at most {MAX_PROBLEM_SIZE:,} bytes each" in text
    assert f"of at most {MAX_LINE_SIZE:,} bytes" in text
    assert f"at most {MAX_SIZE // 1000} kB" in text


def test_the_page_lists_all_names_in_json_output(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        dry = entrypoint("--dry-run", "--format", "json", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}))
    with http_server(secrets({"name": "[]"})) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, AWS_LAMBDA_LOG_FORMAT="JSON")
        log = entrypoint("true", environ=environ)
    versioned = by_length(secret_body("name", "eu-west-1", SecretString='{"A": "1"}', VersionId="1"))
    with http_server(lambda _: versioned) as server:
        told = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "LAMBDA_ENV_LOG_LEVEL": "info"}
        summary = json.loads(entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, **told)).err)
    printed = json.loads(dry.out)
    failed = json.loads(
        entrypoint("--dry-run", "--format", "json", environ=aws("", {"SECRETS_MANAGER_ARN": "arn:"})).out
    )
    names = {*(("log", name) for name in json.loads(log.err)), *(("dry run", name) for name in printed)}
    names |= {("log", name) for name in (*summary, *summary["sources"][0])}
    names |= {("dry run", name) for name in printed["variables"][0]}
    names |= {("dry run that fails", name) for name in (*failed, *failed["problems"][0])}
    listed = {(where.split(",")[0], name) for where, cell, _ in table(PAGE, "## JSON output") for name in quoted(cell)}
    assert listed == names


# -- messages

SECTIONS = (
    *("The file does not start", "The command", "References, templates, names", "Credentials and Region", "Network"),
    *("Certificates", "Access denied", "Not found", "The secret's content", "The emulator"),
)
FOREIGN = re.compile(
    r"(fork/)?exec:? |permission|standard_init|Unknown option|python3|can't find|SyntaxError|segmentation|Runtime"
    r"|No module|ModuleNot|CERTIFICATE_|.*Exception: |\w+Exception$|Failed to|entrypoint req|HTTP 502|address already"
    r"|KeyError|AWS_LAMBDA_RUNTIME_API is not set|… marked for deletion"
)
"""Messages of the kernel, Docker, Lambda, AWS, Python and the emulator."""
COMPOSED = {'key "…": …', 'variable "…": …', "AWS_CA_BUNDLE=… cannot be read"}
COMPOSED |= {'emulator (--rie-path) "…" does not exist', 'command "…" was not found', 'command "…" does not exist'}
COMPOSED |= {"… is a string, not an object", "… is an array, not an object"}
"""Messages made of parts."""


def messages() -> str:
    """All texts in the program, with … for what is filled in."""
    found = []
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


@pytest.mark.parametrize("name", SECTIONS)
def test_each_message_exists(name: str) -> None:
    explained = [text for row in table(PAGE, f"## {name}") for text in quoted(row[0])]
    texts = messages()
    patterns = {
        text: ".*".join(map(re.escape, text.strip("… ").split("…")))
        for text in explained
        if text not in COMPOSED and not FOREIGN.match(text)
    }
    assert [text for text, pattern in patterns.items() if not re.search(pattern, texts)] == []
    assert explained


def test_each_kind_of_json_error_exists() -> None:
    explained = [text for row in table(PAGE, "## The secret's content", 1) for text in quoted(row[0])]
    texts = messages()
    assert [text for text in explained if text not in texts] == []
    assert len(explained) > 15


def test_the_page_has_each_type_of_policy_that_denies() -> None:
    names = [name for row in table(PAGE, "## Access denied", 1) for name in row[0].split(", ")]
    shown = [POLICIES[name].name for name in names]
    assert shown == list(dict.fromkeys(policy.name for policy in POLICIES.values()))
