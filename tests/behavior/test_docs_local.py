"""docs/local.md says what the program, the emulator and moto do."""

import re
import shlex
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.harness.emulator import emulator_path, free_port, listens
from tests.harness.entrypoint import PLAIN, Entrypoint
from tests.harness.process import Output, Surroundings, run, started, wait_until
from tests.harness.secrets_api import SecretsApi

PAGE = (ROOT / "docs/local.md").read_text()


def test_references_with_quotation_marks_or_comments_are_reported_as_it_shows(entrypoint: Entrypoint) -> None:
    references = {"SECRETS_MANAGER_ARN": '"prod/app"', "LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS": "prod/rds # the database"}
    ended = entrypoint("true", environ={**PLAIN, "AWS_REGION": "eu-central-1", **references})
    assert ended.code == 125
    assert f"```\n{ended.err}```\n" in PAGE


def test_the_emulators_log_levels_are_these() -> None:
    ended = run([emulator_path(), "/bin/true"], Surroundings({"LOG_LEVEL": "verbose"}))
    [levels] = re.findall(r"Valid log levels are:\[(.*?)\]", ended.stderr.decode())
    *first, last = (f"`{level}`" for level in levels.split())
    assert b"Failed to set log level" in ended.stderr
    assert f"{', '.join(first)} and {last}." in PAGE.replace("\n", " ")


def test_its_commands_for_moto_start_a_function_with_its_secret(entrypoint: Entrypoint) -> None:
    [server] = re.findall(r"^moto_server .*$", PAGE, re.MULTILINE)
    [exported] = re.findall(r"^export (AWS_REGION=.* AWS_SECRET_ACCESS_KEY=.*)$", PAGE, re.MULTILINE)
    program, *options = shlex.split(server.replace("0.0.0.0", "127.0.0.1"))  # noqa: S104
    port = free_port()
    words = [str(port) if word == "5000" else word for word in options]
    with Output() as log, started([Path(sys.executable).with_name(program), *words], stderr=log.descriptor) as process:
        wait_until(lambda: listens(port) or process.poll() is not None, what="moto's server")
        SecretsApi("127.0.0.1", port, log).create_secret("prod/app", '{"DB_PASSWORD": "made-up"}')
        environ = dict(word.split("=", 1) for word in shlex.split(exported))
        environ |= {**PLAIN, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "SECRETS_MANAGER_ARN": "prod/app"}
        ended = entrypoint("cat", "/proc/self/environ", environ=environ)
    assert (ended.code, ended.err) == (0, "")
    assert ended.environ["DB_PASSWORD"] == "made-up"
