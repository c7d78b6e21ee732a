"""`make test-workflows` runs what GitHub would run, and says of the rest why it does not."""

from __future__ import annotations

import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.workflows import Row, in_order, read, run, table

if TYPE_CHECKING:
    from pathlib import Path

GIT = ("git", "-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").touch()
    for words in (["init", "--quiet"], ["add", "file"], ["commit", "--quiet", "--message=All of it"]):
        subprocess.run([*GIT, *words], cwd=folder, check=True)
    return folder


def rows(repository: Path, workflow: str) -> list[Row]:
    (repository / "ci.yml").write_text(dedent(workflow), "utf-8")
    jobs = read(repository)
    return list(run(repository, "v1", in_order(jobs, jobs)))


def results(repository: Path, workflow: str) -> list[str]:
    return [row.result for row in rows(repository, workflow)]


def test_a_step_runs_in_a_clone_with_the_tag(repository: Path) -> None:
    workflow = """\
        jobs:
          one:
            steps:
              - uses: actions/checkout@0123
                with: {path: a folder}
              - run: test "$(git describe --tags)" = v1
                working-directory: a folder
        """
    assert results(repository, workflow) == ["simulated: a clone with v1", "passed"]


def test_a_step_finds_what_workflow_job_and_step_say_of_environment_folder_and_shell(repository: Path) -> None:
    workflow = """\
        env: {A: workflow, B: workflow, C: workflow}
        defaults: {run: {working-directory: one}}
        jobs:
          one:
            env: {B: job, C: job}
            steps:
              - run: mkdir one two
                working-directory: .
              - env: {C: "${{ github.ref_name }}"}
                run: test "$A $B $C ${PWD##*/}" = "workflow job v1 one"
              - run: test "${PWD##*/}" = two && shopt -qo pipefail
                working-directory: two
                shell: bash
        """
    assert results(repository, workflow) == ["passed"] * 3


def test_a_matrix_is_run_with_one_value_of_each_axis(repository: Path) -> None:
    workflow = """\
        jobs:
          one:
            strategy: {matrix: {runner: [first, second], python: ["1.0", "2.0"]}}
            steps:
              - run: test "${{ matrix.runner }} ${{ matrix.python }}" = "first 1.0"
        """
    assert [(row.job, row.result) for row in rows(repository, workflow)] == [("ci/one first 1.0", "passed")]


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("{uses: someone/else@0123}", "only GitHub has this action"),
        ("{run: 'false', env: {GH_TOKEN: '${{ github.token }}'}}", "only GitHub knows github.token"),
        ("{run: 'false', if: always()}", "its condition is not evaluated here"),
    ],
    ids=["an action", "a token", "a condition"],
)
def test_a_step_for_github_is_skipped_with_the_reason(repository: Path, step: str, reason: str) -> None:
    assert results(repository, f"jobs: {{one: {{steps: [{step}]}}}}") == [f"skipped: {reason}"]


def test_an_artifact_reaches_the_job_that_needs_it_without_hidden_files_and_permissions(repository: Path) -> None:
    workflow = """\
        jobs:
          two:
            needs: one
            steps:
              - uses: actions/download-artifact@0123
                with: {name: made, path: got}
              - run: test "$(ls -A got)" = shown && test ! -x got/shown
          one:
            steps:
              - run: mkdir dist && touch dist/.hidden && install -m 755 /dev/null dist/shown
              - uses: actions/upload-artifact@0123
                with: {name: made, path: dist/}
        """
    assert [(row.job, row.result) for row in rows(repository, workflow)] == [
        ("ci/one", "passed"),
        ("ci/one", "simulated: 1 files kept"),
        ("ci/two", "simulated: 1 files"),
        ("ci/two", "passed"),
    ]


def test_nothing_runs_after_a_failed_step_nor_in_jobs_that_need_it(repository: Path) -> None:
    workflow = """\
        jobs:
          one: {steps: [{run: exit 3}, {run: "true"}]}
          two: {needs: [one], steps: [{run: "true"}]}
          three: {needs: two, steps: [{run: "true"}]}
          four: {steps: [{run: "true"}]}
        """
    assert results(repository, workflow) == [
        "failed: exit code 3",
        "not run: a step before it failed",
        "not run: ci/one failed",
        "not run: ci/two failed",
        "passed",
    ]


def test_the_table_has_a_line_for_each_step() -> None:
    shown = table([Row("ci/test", "make test", "passed", 400)])
    assert [line.split() for line in shown.splitlines()[1:]] == [
        ["job", "step", "result", "seconds"],
        ["ci/test", "make", "test", "passed", "400"],
    ]


def test_all_workflows_of_this_project_can_be_read() -> None:
    jobs = read(ROOT / ".github/workflows")
    assert {job.name for job in in_order(jobs, ["release/publish"])} <= jobs.keys()
