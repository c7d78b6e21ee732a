"""What lies about in the container changes nothing of what is run, and nothing is left behind there."""

import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import WITH_OWN_MOUNTS, WITHOUT_PASSWD_ENTRY, Entrypoint, aws, permitted, shell
from tests.harness.http_server import Server
from tests.harness.process import Surroundings, run

pytestmark = pytest.mark.slow

NAME = {"SECRETS_MANAGER_ARN": "name"}
# Modules that a start imports, early and late, and modules of the function's own that might have the same names.
MODULES = """
    __main__ argparse base64 botocore certifi datetime dateutil encodings environment errors gzip hashlib hmac http
    jmespath json logging options os pathlib process re references run_lambda_entrypoint secrets select signal site
    sitecustomize six socket ssl subprocess tempfile threading time typing urllib urllib3 usercustomize uuid warnings
    zipfile zipimport zlib
"""
TRAPS = MODULES.split()


without_passwd_entry = pytest.mark.skipif(
    not permitted(WITHOUT_PASSWD_ENTRY),
    reason="a process here may not take a uid without a passwd entry (unshare --user)",
)


@pytest.fixture
def environ(server: Server, transport: str) -> dict[str, str]:
    """That of a function with a secret, over either transport."""
    return aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport)


def traps(folder: Path, but: set[str]) -> Path:
    """A folder of modules each of which ends the process that imports it."""
    for name in TRAPS:
        if name not in but:
            (folder / f"{name}.py").write_text(f"import os\nos.write(2, b'trapped by {name}\\n')\nos._exit(66)\n")
    (folder / "run").symlink_to(shutil.which("cat") or "/bin/cat")
    return folder


def shivs_variables(archive: Path) -> set[str]:
    """Every variable that shiv's bootstrap inside the archive knows."""
    with ZipFile(archive) as read:
        sources = [read.read(name).decode() for name in read.namelist() if name.startswith("_bootstrap/")]
    return set(re.findall(r"\bSHIV_[A-Z_]+\b", "".join(sources)))


def test_variables_of_python_and_shiv_and_modules_in_the_working_directory_change_nothing_but_reach_the_command(
    entrypoint: Entrypoint, environ: dict[str, str], tmp_path: Path
) -> None:
    folder = str(traps(tmp_path, but=set()))
    shiv = dict.fromkeys(shivs_variables(entrypoint.archive), "1")
    assert len(shiv) > 5
    shiv |= {"SHIV_ROOT": folder, "SHIV_ENTRY_POINT": "json:load", "SHIV_PREPEND_PYTHONPATH": folder}
    python = dict.fromkeys(("PYTHONINSPECT", "PYTHONVERBOSE", "PYTHONDEVMODE", "PYTHONPROFILEIMPORTTIME"), "1")
    python |= dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "HOME"), folder)
    python |= {"PYTHONSTARTUP": f"{folder}/json.py", "PYTHONBREAKPOINT": "json.load"}
    python |= {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"}
    environ |= shiv | python
    ended = entrypoint("./run", "/proc/self/environ", environ=environ, surroundings=Surroundings(directory=folder))

    assert (ended.code, ended.err) == (0, "")
    assert ended.environ == {**environ, "A": "1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["run", *(f"{trap}.py" for trap in TRAPS)])


def imported_before_an_archive(folder: Path, flags: list[str]) -> set[str]:
    """What an interpreter that is not isolated imports before any archive's first line: that is out of our reach."""
    with ZipFile(folder / "archive", "w", ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", "import sys; print(*sys.modules)")
    imported = run([sys.executable, *flags, folder / "archive"]).stdout.decode().split()
    return {"sitecustomize", "usercustomize", *(name.partition(".")[0] for name in imported)}


@pytest.mark.archive_only("is never started by another interpreter")
@pytest.mark.parametrize("flags", [[], ["-S"], ["-s", "-E"]], ids=["no flags", "-S", "-sE"])
def test_started_without_its_first_line_no_module_of_the_functions_own_is_imported_either(
    entrypoint: Entrypoint, environ: dict[str, str], tmp_path: Path, flags: list[str]
) -> None:
    folder = traps(tmp_path, but=imported_before_an_archive(tmp_path, flags))
    words: list[str | Path] = [sys.executable, *flags, entrypoint.archive, "printenv", "A"]
    ended = run(words, Surroundings({**environ, "PYTHONPATH": str(folder)}, directory=folder))

    assert (ended.status, ended.stdout, ended.stderr) == (0, b"1\n", b"")


@without_passwd_entry
@pytest.mark.parametrize("home", [None, "", ".", "no/home"])
def test_with_no_home_no_configuration_of_the_working_directory_is_read(
    entrypoint: Entrypoint, tmp_path: Path, home: str | None
) -> None:
    for folder in ("~", ".", "no/home"):
        (tmp_path / folder / ".aws").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / ".aws/config").write_text(
            f"[default]\ncredential_process = {shutil.which('touch')} {tmp_path}/trapped\n"
        )
    environ = aws(f"http://127.0.0.1:{free_port()}", NAME, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    if home is not None:
        environ["HOME"] = home
    ended = entrypoint(
        "true", environ=environ, before=WITHOUT_PASSWD_ENTRY, surroundings=Surroundings(directory=tmp_path)
    )

    assert (ended.code, "no AWS credentials" in ended.err) == (125, True)
    assert not (tmp_path / "trapped").exists()


def test_a_credential_process_that_a_variable_names_does_run(
    entrypoint: Entrypoint, server: Server, tmp_path: Path
) -> None:
    """The counterpart of the trap: were the trap's file never read anyway, that test would show nothing."""
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho \'{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "x"}\'\n')
    program.chmod(0o755)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {program}\n")
    environ = aws(server.url, NAME, AWS_ACCESS_KEY_ID="", AWS_CONFIG_FILE=f"{tmp_path}/config")
    ended = entrypoint("true", environ=environ)

    assert ended == (0, b"", "")
    assert ["=AKIDPROCESS/" in request.headers["authorization"] for request in server.requests] == [True]


@without_passwd_entry
def test_it_runs_read_only_with_no_home_and_a_uid_without_passwd_entry(
    entrypoint: Entrypoint, environ: dict[str, str], tmp_path: Path
) -> None:
    archive = shutil.copyfile(entrypoint.archive, tmp_path / "archive.pyz")
    archive.chmod(0o555)
    tmp_path.chmod(0o555)
    ended = Entrypoint(archive)("printenv", "A", environ=environ, before=WITHOUT_PASSWD_ENTRY)
    tmp_path.chmod(0o755)

    assert ended == (0, b"1\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["archive.pyz"]


SETPRIV = shutil.which("setpriv") or ""
# Makes every mount read-only for the words behind it, and says so if a folder is still written to by anybody.
READ_ONLY = [
    *WITH_OWN_MOUNTS,
    *shell(
        'while read -r _ _ _ _ point _; do mount -o remount,bind,ro "$point" || exit 97; done </proc/self/mountinfo; '
        "for folder in / /tmp /var/tmp /dev/shm /run; do touch $folder/written 2>/dev/null && exit 98; done"
    ),
    *(SETPRIV, "--reuid=64321", "--regid=64321", "--clear-groups", "--no-new-privs"),
]


def test_it_runs_where_no_folder_at_all_can_be_written_to(entrypoint: Entrypoint, environ: dict[str, str]) -> None:
    if not SETPRIV or not permitted([*READ_ONLY, sys.executable, "-c", "pass"]):
        pytest.skip("a process here may not make its folders read-only (root, unshare --mount)")
    with TemporaryDirectory() as folder:  # not tmp_path, which only we may read
        Path(folder).chmod(0o755)
        archive = shutil.copyfile(entrypoint.archive, Path(folder, "archive.pyz"))
        archive.chmod(0o755)
        ended = Entrypoint(archive)("printenv", "A", environ=environ, before=READ_ONLY)

    assert ended == (0, b"1\n", "")


STRACE = shutil.which("strace") or ""


def opened_for_writing(trace: str) -> list[str]:
    """The lines of a trace that would change a file system, as far as the command's start."""
    ours, _, _ = trace.partition('execve("/usr/bin/true"')
    changing = r"O_CREAT|O_WRONLY|O_RDWR|O_TRUNC|O_TMPFILE|\b(mkdir|rename|link|unlink|symlink|chmod|mknod|rmdir|utime)"
    return [line for line in ours.splitlines() if re.search(changing, line)]


@pytest.mark.skipif(not STRACE or not permitted([STRACE, "-o", "/dev/null"]), reason="strace is not there or may not")
def test_nothing_is_opened_for_writing(entrypoint: Entrypoint, environ: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/config").write_text("[default]\nregion = eu-west-1\n")
    trace = tmp_path / "trace"
    before = [STRACE, "-f", "-qq", "-e", "trace=%file,openat2,fchmod", "-o", str(trace)]
    ended = entrypoint("/usr/bin/true", environ={**environ, "HOME": str(home)}, before=before)

    assert ended == (0, b"", "")
    assert 'execve("/usr/bin/true"' in trace.read_text()
    assert opened_for_writing(trace.read_text()) == []
    assert [path.name for path in (home / ".aws").iterdir()] == ["config"]
