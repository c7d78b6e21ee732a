"""What the examples' tools and Python leave behind makes no build dirty, and enters no build context."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

GIT = shutil.which("git") or ""
pytestmark = pytest.mark.skipif(
    not (GIT and (ROOT / ".git").exists()), reason="this is not a repository, or git is not installed"
)

LEFT_BEHIND = [
    ".aws-sam/build/template.yaml",
    "samconfig.toml",
    "examples/deploy/sam/.aws-sam/build.toml",
    "examples/deploy/sam/samconfig.toml",
    "examples/deploy/terraform/.terraform/app.zip",
    "examples/deploy/terraform/.terraform/providers/aws",
    "examples/deploy/terraform/.terraform.lock.hcl",
    "examples/deploy/terraform/.terraform.tfstate.lock.info",
    "examples/deploy/terraform/terraform.tfstate",
    "examples/deploy/terraform/terraform.tfstate.1764200000.backup",
    "examples/deploy/terraform/saved.tfplan",
    "examples/secret-reflector-node/node_modules/aws-lambda-ric/index.mjs",
    "examples/secret-reflector-python-slim/__pycache__/app.cpython-313.pyc",
    "examples/secret-reflector-python-slim/app.pyc",
    "src/run_lambda_entrypoint.egg-info/PKG-INFO",
    "answer.json",
    "env.json",
    "function.zip",
    "secret.json",
]


def ignored(folder: Path, rules: list[str], paths: list[str]) -> list[str]:
    """Those of the paths that git ignores in a repository with these rules."""
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text("\n".join(rules))
    return git(folder, "check-ignore", "--no-index", "--stdin", told="\n".join(paths))


def git(folder: Path, *words: str, told: str = "") -> list[str]:
    """The lines that git prints: this machine's configuration may ignore files, too."""
    nothing = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    ended = subprocess.run([GIT, *words], cwd=folder, env=nothing, input=told, capture_output=True, text=True)
    assert ended.stderr == ""
    return ended.stdout.splitlines()


@pytest.fixture
def git_rules() -> list[str]:
    return (ROOT / ".gitignore").read_text().splitlines()


@pytest.fixture
def docker_rules() -> list[str]:
    """Git's rules of the same meaning: Docker's begin at the top of the context."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    return [f"!/{line[1:]}" if line.startswith("!") else f"/{line}" for line in lines]


def test_git_ignores_what_is_left_behind(tmp_path: Path, git_rules: list[str]) -> None:
    assert ignored(tmp_path, git_rules, LEFT_BEHIND) == LEFT_BEHIND


def test_no_build_context_has_what_is_left_behind(tmp_path: Path, docker_rules: list[str]) -> None:
    assert ignored(tmp_path, docker_rules, LEFT_BEHIND) == LEFT_BEHIND


def test_git_ignores_no_file_of_ours(tmp_path: Path, git_rules: list[str]) -> None:
    assert ignored(tmp_path, git_rules, git(ROOT, "ls-files")) == []


def test_the_build_context_has_all_of_the_examples(tmp_path: Path, docker_rules: list[str]) -> None:
    examples = git(ROOT, "ls-files", "examples")
    layer = ["dist/SHA256SUMS", "dist/run-lambda-entrypoint-layer-x86_64.zip"]
    assert ignored(tmp_path, docker_rules, [*examples, *layer]) == []


def test_no_build_context_has_the_image_and_the_files_in_it(tmp_path: Path, docker_rules: list[str]) -> None:
    files = ["dist/image.tar", "dist/run-lambda-entrypoint-x86_64", "dist/run-lambda-entrypoint.pyz"]
    assert ignored(tmp_path, docker_rules, files) == files
