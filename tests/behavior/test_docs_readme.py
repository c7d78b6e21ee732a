"""README says what the program does, and stays short."""

import base64
import json
import re
from collections.abc import Iterator

import pytest

from run_lambda_entrypoint.options import SETTINGS
from run_lambda_entrypoint.references import FORMS, MODIFIERS
from tests.conftest import ROOT
from tests.harness.entrypoint import PLAIN, Entrypoint
from tests.harness.pages import measured
from tests.harness.secrets_api import SecretsApi, serving

README = (ROOT / "README.md").read_text()
APP = {"DB_USER": "app", "DB_PASSWORD": "made-up"}


@pytest.fixture(scope="module")
def account() -> Iterator[SecretsApi]:
    """The secrets that README names, in a server of their own: other pages give these names to others."""
    with serving() as api:
        api.create_secret("prod/app", json.dumps(APP))
        api.create_secret("prod/rds", '{"host": "db", "password": "of-rds"}')
        api.create_secret("prod/keystore", b"\x00\xff")
        api.put_parameter("/prod/app/api-url", "https://api.example.com")
        yield api


def test_it_can_be_read_in_ten_minutes() -> None:
    assert len(README.splitlines()) <= 180
    assert len(README.split()) <= 1600


def test_its_secret_is_the_one_of_these_tests() -> None:
    assert f"`{json.dumps(APP)}`" in README


def test_the_dry_run_prints_what_it_shows(entrypoint: Entrypoint, account: SecretsApi) -> None:
    environ = account.environ(**PLAIN, SECRETS_MANAGER_ARN="prod/app")
    ended = entrypoint("--dry-run", environ=environ)
    version = "11111111-1111-1111-1111-111111111111"
    shown = re.sub(r" +$", "", re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", version, ended.out.decode()))
    assert ended.code == 0
    assert f"```\n{shown.strip()}\n```" in README


def test_two_failures_are_reported_as_it_shows(entrypoint: Entrypoint, account: SecretsApi) -> None:
    references = {"SECRETS_MANAGER_ARN": "prod/ap", "LAMBDA_ENV_VALUE_FROM_DB_PASSWORD": "prod/app:DB_PASWORD"}
    ended = entrypoint("true", environ=account.environ(**PLAIN, **references))
    assert ended.code == 125
    assert f"```\n{ended.err}```\n" in README


EXAMPLES: dict[str, str] = dict(
    re.findall(r"^\| `(\w+\*?)` \| `(.*?)` \|", README.split("\n## Variables\n")[1], re.MULTILINE)
)
SUFFIXES = {
    "LAMBDA_ENV_SECRETS_MANAGER_ARN_*": "LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS",
    "LAMBDA_ENV_SSM_PATH_*": "LAMBDA_ENV_SSM_PATH_APP",
    "LAMBDA_ENV_PREFIX_*": "LAMBDA_ENV_PREFIX_RDS",
    "LAMBDA_ENV_VALUE_FROM_NAME": "LAMBDA_ENV_VALUE_FROM_PASSWORD",
    "LAMBDA_ENV_BASE64_FROM_NAME": "LAMBDA_ENV_BASE64_FROM_KEYSTORE",
    "LAMBDA_ENV_TEMPLATE_NAME": "LAMBDA_ENV_TEMPLATE_URL",
}


def test_its_examples_of_variables_set_what_it_says(entrypoint: Entrypoint, account: SecretsApi) -> None:
    environ = account.environ(**PLAIN, **{SUFFIXES.get(name, name): value for name, value in EXAMPLES.items()})
    ended = entrypoint("cat", "/proc/self/environ", environ=environ)
    assert (ended.code, ended.err) == (0, "")
    assert {name: value for name, value in ended.environ.items() if environ.get(name) != value} == {
        **APP,
        "API_URL": "https://api.example.com",
        "RDS_host": "db",
        "RDS_password": "of-rds",
        "PASSWORD": "of-rds",
        "KEYSTORE": base64.b64encode(b"\x00\xff").decode(),
        "URL": "postgresql://app:made-up@db/app",
    }


def test_each_variable_exists() -> None:
    shown = [setting.variable for setting in SETTINGS] + [form.shown for form in (*FORMS, *MODIFIERS)]
    known = "|".join(re.escape(name).replace(r"\*", r"\S+").replace("NAME", r"\S+") for name in shown if name)
    named = re.findall(r"\b(?:LAMBDA_ENV|SECRETS_MANAGER)_[A-Z0-9_]+\*?", README)
    assert [name for name in named if not re.fullmatch(known, name)] == []


def test_each_option_exists() -> None:
    section = README.split("\n## Options and exit codes\n")[1].split("\n## ")[0]
    named = re.findall(r"--[a-z-]{3,}", section)
    assert set(named) == {setting.option for setting in SETTINGS if setting.option}


def test_each_default_is_the_programs() -> None:
    [timeout] = [setting.default for setting in SETTINGS if setting.option == "--timeout"]
    [level] = [setting.default for setting in SETTINGS if setting.option == "--log-level"]
    assert f"(default: {timeout:g})" in README
    assert f"`{level}` (default)" in README


def test_its_figures_are_those_of_the_benchmark() -> None:
    [own] = re.findall(r"\[(\d+) ms\]\(benchmarks/results.md\) plus", README)
    [sdk] = re.findall(r"\[(\d+) ms\]\(benchmarks/results.md\) with botocore", README)
    assert float(own) == pytest.approx(measured("run-lambda-entrypoint"), abs=2)
    assert float(sdk) == pytest.approx(measured("botocore script"), abs=2)


def test_its_policy_allows_its_secret() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    [statement] = json.loads(block)["Statement"]
    [arn] = re.findall(r"`(arn:\S+)`", README)
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == "secretsmanager:GetSecretValue"
    assert statement["Resource"] == arn.removesuffix("AbCdEf") + "??????"
