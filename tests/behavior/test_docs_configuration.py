"""docs/configuration.md: each example sets what it says, and the tables are the program's."""

import json
import re
from pathlib import Path

import pytest

from run_lambda_entrypoint.aws.send import MAX_PAGES, MAX_SIZE, MAX_THREADS
from run_lambda_entrypoint.errors import EntrypointError
from run_lambda_entrypoint.loading.parameter_store import BATCH_SIZE
from run_lambda_entrypoint.native.json import MAX_DEPTH
from run_lambda_entrypoint.options import MAX_TIMEOUT, SETTINGS
from run_lambda_entrypoint.references import FORMS, MODIFIERS, VALUE_PREFIX, Form, read
from run_lambda_entrypoint.variables import AWS_IDENTITY, MAX_ENTRY_SIZE, RESERVED, RESERVED_PREFIX
from tests.harness.entrypoint import PLAIN, Entrypoint
from tests.harness.pages import quoted, section, table
from tests.harness.secrets_api import SecretsApi

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/configuration.md").read_text()
BLOCKS = re.findall(r"^```properties\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


def variables(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines())


def only(pattern: str) -> str:
    """The one text of the page that this pattern finds."""
    [text] = re.findall(pattern, PAGE, re.MULTILINE)
    return str(text)


class Account:
    """What exists, according to the page; `real` puts its ARN and version id in place of the page's."""

    def __init__(self, api: SecretsApi) -> None:
        self.arn = api.create_secret("prod/app", "{}")
        previous = only(r"^\| `prod/app`, `AWSPREVIOUS` \| `(.*)` \|$")
        self.version = api.put_secret_value("prod/app", previous, "AWSCURRENT")
        api.put_secret_value("prod/app", only(r"^\| `prod/app` \| `(.*)` \|$"), "AWSCURRENT")
        api.create_secret("prod/token", only(r"^\| `prod/token` \| `(.*)`, plain"))
        for name, kind, value in re.findall(r"^\| `(/prod/app/.*)` \| (\w+) \| `(.*)` \|$", PAGE, re.MULTILINE):
            api.put_parameter(name, value, kind=kind)
        for value, label in (("first", ""), ("second", "stable"), ("third", "")):
            api.put_parameter("/prod/key", value, label=label)

    def real(self, text: str) -> str:
        arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/app-AbCdEf"
        return text.replace(arn, self.arn).replace("11111111-1111-1111-1111-111111111111", self.version)


@pytest.fixture(scope="module")
def account(secrets_api: SecretsApi) -> Account:
    """The page's account."""
    return Account(secrets_api)


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize(("references", "expected"), EXAMPLES)
def test_an_example_sets_what_it_says(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account, references: str, expected: str
) -> None:
    environ = secrets_api.environ(**PLAIN, **variables(account.real(references)))
    ended = entrypoint("cat", "/proc/self/environ", environ=environ)
    assert (ended.code, ended.err) == (0, "")
    changed = {name: value for name, value in ended.environ.items() if environ.get(name) != value}
    assert changed == variables(expected)


def test_what_deny_reports_is_on_the_page(entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account) -> None:
    [references] = [block for block in BLOCKS if block.startswith("password=own")]
    environ = secrets_api.environ(**PLAIN, **variables(references), LAMBDA_ENV_ON_OVERRIDE="deny")
    assert entrypoint("true", environ=environ).err in PAGE


def test_what_is_reported_of_a_missing_key_is_on_the_page(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account
) -> None:
    environ = secrets_api.environ(**PLAIN, LAMBDA_ENV_VALUE_FROM_DB_HOST="prod/app:db.hots")
    assert entrypoint("true", environ=environ).err in PAGE


def test_what_is_reported_of_required_variables_is_on_the_page(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account
) -> None:
    required = only("^With `(LAMBDA_ENV_REQUIRED=.*)` the command does not start:$")
    environ = secrets_api.environ(**PLAIN, SECRETS_MANAGER_ARN="prod/app", **variables(required))
    assert entrypoint("true", environ=environ).err in PAGE


def test_what_a_dry_run_prints_is_on_the_page(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account
) -> None:
    [references] = [block for block in BLOCKS if block.startswith("password=own")]
    environ = secrets_api.environ(**PLAIN, **variables(references))
    out = entrypoint("--dry-run", environ=environ).out.decode()
    version = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert version.sub("22222222-2222-2222-2222-222222222222", out) in PAGE


def test_an_entry_of_ecs_has_the_reference_of_the_variable_below_it() -> None:
    [block] = re.findall(r"^```json\n(.*?)^```$", section(PAGE, "## Moving from ECS"), re.DOTALL | re.MULTILINE)
    entries = [json.loads(line) for line in block.splitlines()]
    expected = {f"{VALUE_PREFIX}{entry['name']}": entry["valueFrom"] for entry in entries}
    assert expected in [variables(references) for references, _ in EXAMPLES]


# -- tables


@pytest.mark.parametrize(("number", "forms"), [(0, FORMS), (1, MODIFIERS)], ids=["references", "modifiers"])
def test_the_page_has_each_variable_that_selects_secrets_or_changes_what_they_set(
    number: int, forms: tuple[Form, ...]
) -> None:
    rows = table(PAGE, "## Variables that select secrets", number)
    assert [row[0] for row in rows] == [f"`{form.shown}`" for form in forms]


def test_the_page_has_each_setting_with_its_default() -> None:
    rows = {(option, variable): meaning for option, variable, meaning in table(PAGE, OPTIONS)}
    options = [f"{setting.option} {setting.metavar}".strip() for setting in SETTINGS]
    names = [(code(option), code(setting.variable)) for option, setting in zip(options, SETTINGS, strict=True)]
    assert rows.keys() == {*names, ("`--version`", ""), ("`--licenses`", ""), ("`-h`, `--help`", "")}
    defaults = [f"(default: {setting.default or 'none'})".replace("8.0", "8") for setting in SETTINGS]
    lacking = [name for name, default in zip(names, defaults, strict=True) if name[1] and default not in rows[name]]
    assert lacking == []


def code(text: str) -> str:
    return f"`{text}`" if text else ""


OPTIONS = "## Options and other variables"


def test_the_page_has_each_reserved_name_and_each_that_is_loaded_with_a_warning() -> None:
    _, _, names = section(PAGE, "### Refused and reserved names").partition("describes the runtime")
    reserved, warned = names.split("\n\n", 1)
    assert set(quoted(reserved)) == {*RESERVED, f"{RESERVED_PREFIX}*"}
    assert set(quoted(warned)) == AWS_IDENTITY


def test_the_limits_are_the_programs() -> None:
    limits = dict(table(PAGE, "### Limits"))
    assert limits["a variable, with its name"] == f"{MAX_ENTRY_SIZE:,} bytes (Linux)"
    assert limits["nesting of a secret's JSON"] == f"{MAX_DEPTH} levels"
    pages = limits["parameters below one path"]
    assert (BATCH_SIZE, pages) == (10, f"{MAX_PAGES:,} pages of ten, {MAX_SIZE // 10**6} MB")
    assert limits["calls at the same time"] == f"{MAX_THREADS}"
    assert limits["deadline"] == f"{MAX_TIMEOUT:g} s"


FOREIGN = [form for row in table(PAGE, "## Moving from other tools")[:2] for form in quoted(row[0])]


@pytest.mark.parametrize("form", FOREIGN)
def test_a_form_of_another_tool_is_refused(form: str) -> None:
    with pytest.raises(EntrypointError, match=r"is not a valid (secret|parameter) reference"):
        read({f"{VALUE_PREFIX}NAME": form.replace("…", "prod/app")})
