"""The worked examples of docs/references.md: each block of variables sets what the block below it says."""

import re
from pathlib import Path

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint
from tests.harness.secrets_api import SecretsApi

PAGE = (Path(__file__).parents[2] / "docs/references.md").read_text()
BLOCKS = re.findall(r"^```properties\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
EXAMPLES = list(zip(BLOCKS[::2], BLOCKS[1::2], strict=True))


def variables(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines())


def told(pattern: str) -> str:
    """The one text of the page that this pattern finds."""
    [text] = re.findall(pattern, PAGE, re.MULTILINE)
    return str(text)


class Account:
    """What the page says that is there; `real` puts its ARN and version id in place of the page's."""

    def __init__(self, api: SecretsApi) -> None:
        self.arn = api.create_secret("prod/app", "{}")
        previous = told(r"^\| `prod/app`, `AWSPREVIOUS` \| `(.*)` \|$")
        self.version = api.put_secret_value("prod/app", previous, "AWSCURRENT")
        api.put_secret_value("prod/app", told(r"^\| `prod/app` \| `(.*)` \|$"), "AWSCURRENT")
        api.create_secret("prod/token", told(r"^\| `prod/token` \| `(.*)`, plain"))
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


def test_what_deny_says_is_what_the_page_says(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account
) -> None:
    [references] = [block for block in BLOCKS if block.startswith("password=own")]
    environ = secrets_api.environ(**PLAIN, **variables(references), LAMBDA_ENV_ON_OVERRIDE="deny")
    assert entrypoint("true", environ=environ).err in PAGE


def test_what_a_dry_run_says_is_what_the_page_says(
    entrypoint: Entrypoint, secrets_api: SecretsApi, account: Account
) -> None:
    [references] = [block for block in BLOCKS if block.startswith("password=own")]
    environ = secrets_api.environ(**PLAIN, **variables(references))
    out = entrypoint("--dry-run", environ=environ).out.decode()
    version = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert version.sub("22222222-2222-2222-2222-222222222222", out) in PAGE
