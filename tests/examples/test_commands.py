"""The commands on README, docs/configuration.md, docs/local.md and the examples' pages run in a shell, with stand-ins
for what is not here: `aws` and `docker`, for example. Each option of an `aws` command exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.model import StructureShape
from botocore.session import Session

from tests.conftest import ROOT

PAGES = [
    *(ROOT / "README.md", ROOT / "docs/configuration.md", ROOT / "docs/local.md"),
    *sorted((ROOT / "examples").rglob("README.md")),
]
AWS = """\
#!/bin/sh
for word; do printf '%s\\0' "$word"; done >>"$CALLS"
printf '\\n' >>"$CALLS"
case "$*" in
*export-credentials*) printf 'export AWS_%s=made-up\\n' ACCESS_KEY_ID SECRET_ACCESS_KEY SESSION_TOKEN ;;
*"--output text"*) echo value ;;
esac
"""
READER = """\
#!/bin/sh
cat >/dev/null # what is piped into it: whoever writes that fails if nobody reads
"""
DOCKER = f"""\
{READER}
while [ "$#" -gt 0 ]; do
  case $1 in --file | --env-file) cat "$2" >/dev/null || exit ;; esac
  shift
done
"""
PYTHON = f"""\
#!/bin/sh
[ "$2" = pip ] || exec {sys.executable} "$@"
"""
STAND_INS = {"aws": AWS, "docker": DOCKER, "python3": PYTHON}
STAND_INS |= dict.fromkeys(("curl", "make", "moto_server", "sam", "terraform"), READER)
OF_THE_CLI = {"cli-binary-format", "endpoint-url", "output", "query", "zip-file"}
"""Options that are not in the model of an operation."""


def blocks() -> list[tuple[str, str]]:
    """Each block of commands, with the name of its page."""
    found = []
    for page in PAGES:
        texts = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
        found += [(str(page.relative_to(ROOT)), text) for text in texts if not text.startswith("#!")]
    return found


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(("page", "block"), blocks())
def test_a_block_of_commands_runs(tmp_path: Path, page: str, block: str) -> None:
    calls = run(block, tmp_path)
    assert [call for call in calls if not is_known(*call)] == []


def run(block: str, folder: Path) -> list[tuple[str, str, str]]:
    """The `aws` commands that a block runs: service, operation and option, once for each option."""
    (folder / "bin").mkdir()
    for name, text in STAND_INS.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "local.env").touch()  # README's commands make it, for those of docs/local.md too
    environ = {
        "PATH": f"{folder}/bin:{os.defpath}",
        "CALLS": f"{folder}/calls",
        "AWS_REGION": "eu-central-1",
        "example": "secret-reflector-go",
    }
    words = [str(shutil.which("bash")), "-euo", "pipefail", "-c", block]
    ended = subprocess.run(words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    calls = folder / "calls"
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [option for line in lines for option in options(line.split("\0")[:-1])]


def options(words: list[str]) -> list[tuple[str, str, str]]:
    names = [word[2:] for word in words if word.startswith("--")]
    service, operation, *more = words[2:] if words[0] == "--endpoint-url" else words
    if operation == "wait":
        model = Session().get_waiter_model(service)
        [name] = [name for name in model.waiter_names if xform_name(name, "-") == more[0]]
        operation = xform_name(model.get_waiter(name).operation, "-")
    return [(service, operation, name) for name in names if name not in OF_THE_CLI]


def is_known(service: str, operation: str, option: str) -> bool:
    """According to the operation's model, of whose names the AWS CLI makes options."""
    if service == "configure":
        return (operation, option) == ("export-credentials", "format")
    model = Session().get_service_model(service)
    shapes = [
        model.operation_model(name).input_shape for name in model.operation_names if xform_name(name, "-") == operation
    ]
    return any(
        isinstance(shape, StructureShape) and option in [xform_name(name, "-") for name in shape.members]
        for shape in shapes
    )


def test_an_option_that_does_not_exist_is_found(tmp_path: Path) -> None:
    calls = run("aws lambda invoke --function-name f --function f answer.json\n", tmp_path)
    assert [is_known(*call) for call in calls] == [True, False]


def test_the_env_file_of_readme_passes_variables_through_and_sets_two(tmp_path: Path) -> None:
    [block] = [text for page, text in blocks() if page == "README.md" and "local.env" in text]
    run(block, tmp_path)
    passed = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    assert (tmp_path / "local.env").read_text().splitlines() == [
        *passed,
        "AWS_REGION=eu-central-1",
        "SECRETS_MANAGER_ARN=prod/app",
    ]


def test_the_secret_of_the_deployments_is_a_json_object(tmp_path: Path) -> None:
    [block] = [text for page, text in blocks() if "secret.json" in text and "echo" in text]
    run(block, tmp_path)
    assert shlex.split(block)[1] == (tmp_path / "secret.json").read_text().strip()
