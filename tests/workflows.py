"""`make test-workflows`: runs the shell steps of .github/workflows/ on this machine, each job in a fresh clone of the
last commit, with the tag of a release.

No part of `make test`, which some of these steps run. Checkout, setup-python and artifacts are simulated. What only
GitHub can do is skipped, with the reason: other actions, conditions, and expressions such as github.token. The steps of
a job in a container run on this machine itself, if that is Debian and the user is root: they install packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
SHELLS = {"bash": ("/bin/bash", "--noprofile", "--norc", "-eo", "pipefail"), "sh": ("/bin/sh", "-e")}
OF_THIS_RUN = ("GIT_", "GITHUB_", "MAKE", "MFLAGS", "PYTHON", "SOURCE_DATE_EPOCH", "VIRTUAL_ENV")


class StepError(Exception):
    """A step failed."""


class Row(NamedTuple):
    """What became of a step."""

    job: str
    step: str
    result: str
    seconds: int = 0

    @property
    def failed(self) -> bool:
        return self.result.startswith(("failed", "not run"))


class Job(NamedTuple):
    """A job as the YAML has it, in one combination of its matrix."""

    name: str  # workflow/job
    workflow: dict[str, Any]
    content: dict[str, Any]

    @property
    def needs(self) -> list[str]:
        needed = self.content.get("needs", [])
        folder = self.name.partition("/")[0]
        return [f"{folder}/{name}" for name in ([needed] if isinstance(needed, str) else needed)]

    @property
    def matrix(self) -> dict[str, str]:
        """This Python's version where the matrix has it, else the first value."""
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        axes = self.content.get("strategy", {}).get("matrix", {})
        values = {name: axis for name, axis in axes.items() if name not in ("include", "exclude")}
        return {f"matrix.{name}": here if here in axis else str(axis[0]) for name, axis in values.items()}

    def default(self, key: str) -> str | None:
        """What `defaults` says of the shell or the working directory."""
        levels = (level.get("defaults", {}).get("run", {}) for level in (self.content, self.workflow))
        return next((level[key] for level in levels if key in level), None)

    def environment(self, step: Mapping[str, Any]) -> dict[str, str]:
        levels = (self.workflow, self.content, step)
        return {name: str(value) for level in levels for name, value in level.get("env", {}).items()}

    def shell(self, step: Mapping[str, Any]) -> tuple[str, ...]:
        if name := step.get("shell") or self.default("shell"):
            return SHELLS[name]
        return SHELLS["sh"] if "container" in self.content else ("/bin/bash", "-e")


class Place(NamedTuple):
    """Where a job runs."""

    origin: Path
    tag: str
    folder: Path
    workspace: Path
    artifacts: Path

    def context(self, job: Job) -> dict[str, str]:
        """The expressions that have a value here."""
        own = {
            "github.ref_name": self.tag,
            "github.repository": "example/run-lambda-entrypoint",
            "github.workspace": str(self.workspace),
        }
        return own | job.matrix

    def environ(self) -> dict[str, str]:
        """What a step finds before any `env`: git has no configuration of this machine, and writes none."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_THIS_RUN)}
        return kept | {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_REF_NAME": self.tag,
            "GITHUB_REPOSITORY": "example/run-lambda-entrypoint",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }


def main() -> int:
    arguments = ArgumentParser(prog="python -m tests.workflows", description=__doc__)
    arguments.add_argument("jobs", nargs="*", metavar="WORKFLOW/JOB", help="these and what they need, instead of all")
    options = arguments.parse_args()
    jobs = read(ROOT / ".github/workflows")
    if unknown := [name for name in options.jobs if name not in jobs]:
        arguments.error(f"no job {', '.join(unknown)}; there are {', '.join(jobs)}")
    [version] = re.findall('__version__ = "(.+)"', (ROOT / "src/run_lambda_entrypoint/__init__.py").read_text("utf-8"))
    rows = list(run(ROOT, f"v{version}", in_order(jobs, options.jobs or jobs)))
    print(table(rows))
    return int(any(row.failed for row in rows))


def read(folder: Path) -> dict[str, Job]:
    """All jobs of the workflows in a folder, by name."""
    jobs = {}
    for path in sorted(folder.glob("*.yml")):
        workflow = yaml.safe_load(path.read_text("utf-8"))
        for name, content in workflow["jobs"].items():
            jobs[f"{path.stem}/{name}"] = Job(f"{path.stem}/{name}", workflow, content)
    return jobs


def in_order(jobs: Mapping[str, Job], wanted: Iterable[str]) -> list[Job]:
    """Those and what they need, each after what it needs."""
    ordered: dict[str, Job] = {}
    for name in wanted:
        for job in (*in_order(jobs, jobs[name].needs), jobs[name]):
            ordered.setdefault(job.name, job)
    return list(ordered.values())


def run(repository: Path, tag: str, jobs: Sequence[Job]) -> Iterator[Row]:
    """Runs the jobs one after the other."""
    with TemporaryDirectory(prefix="workflows-") as name:
        folder = Path(name)
        origin = folder / "origin"
        nothing = Place(origin, tag, folder, folder, folder).environ()
        git = ("git", "-C", str(origin))
        for words in (
            ("git", "clone", "--quiet", "--bare", str(repository), str(origin)),
            (*git, "tag", "--force", tag),
            (*git, "log", "-1", "--format=%h %s", tag),
        ):
            subprocess.run(words, env=nothing, check=True)
        failed: set[str] = set()
        for job in jobs:
            workflow = job.name.partition("/")[0]
            place = Place(origin, tag, folder / job.name, folder / job.name / "work", folder / "artifacts" / workflow)
            place.workspace.mkdir(parents=True)
            for row in run_job(job, place, [name for name in job.needs if name in failed]):
                if row.failed:
                    failed.add(job.name)
                yield row
            shutil.rmtree(place.folder)


def run_job(job: Job, place: Place, failed: list[str]) -> Iterator[Row]:
    """Runs the steps of a job. `failed` are the jobs without which it does not run."""
    label = " ".join([job.name, *job.matrix.values()])
    stopped = f"not run: {', '.join(failed)} failed" if failed else ""
    for step in job.content["steps"]:
        began = monotonic()
        print(f"\n## {label}: {title(step)}", flush=True)
        if reason := skipped(job, step, place):
            result = f"skipped: {reason}"
        elif stopped:
            result = stopped
        else:
            try:
                result = run_step(job, step, place)
            except (StepError, OSError, subprocess.CalledProcessError) as error:
                result, stopped = f"failed: {error}", "not run: a step before it failed"
        print(f"## {result}", flush=True)
        yield Row(label, title(step), result, round(monotonic() - began))


def title(step: Mapping[str, Any]) -> str:
    return str(step.get("name") or step.get("uses", "").partition("@")[0] or step["run"].splitlines()[0])


def skipped(job: Job, step: Mapping[str, Any], place: Place) -> str:
    """Why a step does not run here; empty if it does."""
    action = step.get("uses", "").partition("@")[0]
    texts = (step.get("run", ""), *job.environment(step).values(), *step.get("with", {}).values())
    unknown = [name for text in texts for name in EXPRESSION.findall(str(text)) if name not in place.context(job)]
    if action and action not in SIMULATED:
        return "only GitHub has this action"
    if unknown:
        return f"only GitHub knows {', '.join(sorted(set(unknown)))}"
    if "if" in step or "if" in job.content:
        return "its condition is not evaluated here"
    if "container" in job.content and (os.geteuid() or not Path("/etc/debian_version").exists()):
        return "its container is Debian with root"
    return ""


def run_step(job: Job, step: Mapping[str, Any], place: Place) -> str:
    """The result. Raises StepError, OSError and CalledProcessError."""

    def filled(text: str) -> str:
        return EXPRESSION.sub(lambda match: place.context(job)[match[1]], text)

    if action := step.get("uses", "").partition("@")[0]:
        inputs = {name: filled(str(value)) for name, value in step.get("with", {}).items()}
        return f"simulated: {SIMULATED[action](place, inputs)}"
    script = place.folder / "script.sh"
    script.write_text(filled(step["run"]), "utf-8")
    environ = {name: filled(value) for name, value in job.environment(step).items()}
    folder = place.workspace / (step.get("working-directory") or job.default("working-directory") or ".")
    ended = subprocess.run([*job.shell(step), str(script)], cwd=folder, env=place.environ() | environ)
    if ended.returncode:
        raise StepError(f"exit code {ended.returncode}")
    return "passed"


def checkout(place: Place, inputs: Mapping[str, str]) -> str:
    target = place.workspace / inputs.get("path", ".")
    clone = ("git", "-c", "advice.detachedHead=false", "clone", "--quiet", "--depth=1", f"--branch={place.tag}")
    subprocess.run([*clone, place.origin.as_uri(), str(target)], env=place.environ(), check=True)
    return f"a clone with {place.tag}"


def setup_python(place: Place, inputs: Mapping[str, str]) -> str:
    """Leaves the Pythons on PATH as they are, and adds those that `make interpreters` unpacked."""
    unpacked = ROOT / ".cache/interpreters"
    for repository in [*place.workspace.glob(".git"), *place.workspace.glob("*/.git")]:
        if unpacked.is_dir():
            (repository.parent / ".cache").mkdir()
            (repository.parent / ".cache/interpreters").symlink_to(unpacked)
    return "the Pythons of this machine"


def upload(place: Place, inputs: Mapping[str, str]) -> str:
    """As GitHub does, without hidden files and permissions."""
    source, target = place.workspace / inputs["path"], place.artifacts / inputs["name"]
    found = [
        path for path in source.rglob("*") if path.is_file() and not re.search(r"/\.", f"/{path.relative_to(source)}")
    ]
    if not found:
        raise StepError(f"no files in {inputs['path']}")
    target.mkdir(parents=True)
    for path in found:
        copied = target / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copied)
    return f"{len(found)} files kept"


def download(place: Place, inputs: Mapping[str, str]) -> str:
    copied = shutil.copytree(place.artifacts / inputs["name"], place.workspace / inputs["path"], dirs_exist_ok=True)
    return f"{sum(path.is_file() for path in copied.rglob('*'))} files"


SIMULATED: dict[str, Callable[[Place, Mapping[str, str]], str]] = {
    "actions/checkout": checkout,
    "actions/download-artifact": download,
    "actions/setup-python": setup_python,
    "actions/upload-artifact": upload,
}


def table(rows: Sequence[Row]) -> str:
    lines = [("job", "step", "result", "seconds"), *((*row[:3], str(row.seconds)) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    padded = ("  ".join([*map(str.ljust, line, widths), line[3]]) for line in lines)
    return "\n" + "\n".join(padded)


if __name__ == "__main__":
    sys.exit(main())
