"""README's tables are the program's; each example of docs/references.md sets what it says; the messages in
docs/troubleshooting.md exist."""

import ast
import json
import re
from pathlib import Path

import pytest

from build import BYTECODE_VERSIONS
from run_lambda_entrypoint import errors
from run_lambda_entrypoint.options import SETTINGS
from run_lambda_entrypoint.references import FORMS, MODIFIERS
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import by_length, http_server, secret, secret_body, secrets
from tests.harness.secrets_api import SecretsApi

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs/references.md").read_text()
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
    required = only("^With `(LAMBDA_ENV_REQUIRED=.*)` the command is not started:$")
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


# -- README's tables


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its first two lines."""
    rows = re.findall(r"^\|(.*)\|$", README.split(f"\n{heading}\n")[1].split("\n\n#")[0], re.MULTILINE)
    width = rows[0].count("|")
    return [[cell.strip() for cell in row.split("|")] for row in rows[2:] if row.count("|") == width]


def test_readme_has_each_error_type_with_its_exit_codes_and_meanings() -> None:
    expected: dict[str, list[errors.Kind]] = {}
    for kind in vars(errors).values():
        if isinstance(kind, errors.Kind):
            expected.setdefault(kind.error_type, []).append(kind)
    assert table("### Error types") == [
        [
            f"`{error_type}`",
            ", ".join(dict.fromkeys(str(kind.exit_code) for kind in kinds)),
            "; ".join(kind.meaning for kind in kinds),
        ]
        for error_type, kinds in expected.items()
    ]


def test_readme_has_each_setting_with_its_default() -> None:
    rows = {(option.strip("`"), variable.strip("`")): meaning for option, variable, meaning in table(OPTIONS)}
    expected = {("", form.shown) for form in (*FORMS, *MODIFIERS)} | {
        ("--version", ""),
        ("--licenses", ""),
        ("-h`, `--help", ""),
    }
    expected |= {
        (f"{setting.option} {setting.metavar}".strip() if setting.option else "", setting.variable)
        for setting in SETTINGS
    }
    assert rows.keys() == expected
    defaults = {setting.variable: f"(default: {setting.default or 'none'})".replace("8.0", "8") for setting in SETTINGS}
    assert [name for (_, name), text in rows.items() if name in defaults and name and defaults[name] not in text] == []


OPTIONS = "## Options and variables"


def test_readme_lists_all_names_in_json_output(entrypoint: Entrypoint) -> None:
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
    rows = table("### JSON output")
    listed = {(where.split(",")[0], name) for where, cell, _ in rows for name in re.findall("`(.+?)`", cell)}
    assert listed == names


# -- docs/approval.md and links


def test_each_version_of_cpython_that_is_built_for_has_an_end_of_support() -> None:
    page = (ROOT / "docs/approval.md").read_text()
    assert re.findall(r"^\| (3\.\d+) \| October \d{4} \|$", page, re.MULTILINE) == list(BYTECODE_VERSIONS)


def anchors(page: Path) -> set[str]:
    """Those that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md", "SECURITY.md", "docs/approval.md"])
def test_each_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text())
    broken = [
        (path, anchor)
        for path, anchor in links
        if not (target := page.parent / path if path else page).exists() or (anchor and anchor not in anchors(target))
    ]
    assert broken == []
    assert links != []


# -- docs/troubleshooting.md

FOREIGN = re.compile(
    r"exec |permission|Unknown option|python3|can't find"
    r"|SyntaxError|segmentation|Runtime|No module|ModuleNot|.*Exception|Failed to|entrypoint req|HTTP|addr"
)
"""Messages of the kernel, Docker, Lambda, AWS, Python and the emulator."""
COMPOSED = {'key "…": …', "DecryptionFailure", "… marked for deletion", "AWS_LAMBDA_RUNTIME_API is not set"}
"""Messages made of parts, or of others too."""
COMPOSED |= {'variable "…": …', "AWS_CA_BUNDLE=… cannot be read", 'emulator (--rie-path) "…" does not exist'}
COMPOSED |= {"KeyError: 'AWS_LAMBDA_RUNTIME_API'"}
COMPOSED |= {'command "…" was not found', 'command "…" does not exist'}


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


TROUBLESHOOTING = (ROOT / "docs/troubleshooting.md").read_text()


def test_each_kind_of_json_error_that_troubleshooting_explains_exists() -> None:
    rows = TROUBLESHOOTING.split("\n| it says | and means |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    explained = [text for row in rows for text in re.findall("`(.+?)`", row.split("|")[1])]
    texts = messages()
    assert [text for text in explained if text not in texts] == []
    assert len(explained) > 15


def test_each_message_that_troubleshooting_explains_exists() -> None:
    headings = re.findall(r"^### (`.*)$", TROUBLESHOOTING, re.MULTILINE)
    explained = [text for heading in headings for text in re.findall("`(.+?)`", heading)]
    ours = [text for text in explained if text not in COMPOSED and not FOREIGN.match(text)]
    texts = messages()
    patterns = {text: ".*".join(map(re.escape, text.strip("… ").split("…"))) for text in ours}
    assert [text for text, pattern in patterns.items() if not re.search(pattern, texts)] == []
    assert len(ours) > 20
