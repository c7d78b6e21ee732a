"""--rie-path: the emulator before the command outside Lambda, nothing in Lambda."""

from pathlib import Path

import pytest

from tests.harness.emulator import REFLECTOR, REFLECTOR_DIRECTORY, emulator_path, running
from tests.harness.entrypoint import PLAIN, Ended, Entrypoint, aws
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings
from tests.harness.secrets_api import REGION, SecretsApi


@pytest.fixture
def rie(tmp_path: Path) -> str:
    """A program in the emulator's place, which writes its arguments and its LOG_LEVEL."""
    path = tmp_path / "rie"
    path.write_text("""#!/bin/sh\nprintf '%s\\0' "$@" "${LOG_LEVEL-unset}"\n""")
    path.chmod(0o755)
    return str(path)


def arguments(ended: Ended) -> list[str]:
    assert (ended.code, ended.err) == (0, "")
    return ended.out.decode().split("\0")[:-1]


def test_outside_lambda_the_command_is_the_emulators_arguments_without_a_double_dash(
    entrypoint: Entrypoint, rie: str
) -> None:
    ended = entrypoint("--rie-path", rie, "--", "/bin/echo", "-n", "--", "--log-level", "é")

    assert arguments(ended)[2:-1] == ["/bin/echo", "-n", "--", "--log-level", "é"]


def test_the_command_is_looked_up_for_the_emulator(entrypoint: Entrypoint, rie: str) -> None:
    ended = entrypoint(f"--rie-path={rie}", "echo", environ={"PATH": "/bin"})

    assert arguments(ended)[2:-1] == ["/bin/echo"]


def test_the_emulator_is_looked_up_in_path(entrypoint: Entrypoint, rie: str) -> None:
    environ = {"PATH": f"/bin:{Path(rie).parent}"}

    assert arguments(entrypoint("--rie-path", "rie", "/bin/echo", environ=environ))[2:-1] == ["/bin/echo"]


@pytest.mark.parametrize(("own", "level"), [({}, "info"), ({"LOG_LEVEL": "debug"}, "debug")])
def test_a_log_level_in_a_secret_is_the_functions_alone(
    entrypoint: Entrypoint, rie: str, own: dict[str, str], level: str
) -> None:
    with http_server(lambda _: secret('{"LOG_LEVEL": "secret"}')) as server:
        environ = {**aws(server.url, {"SECRETS_MANAGER_ARN": "name"}), **own}
        words = arguments(entrypoint("--rie-path", rie, "/bin/echo", environ=environ))

    assert words == ["--log-level", level, "/bin/echo", "secret"]


@pytest.mark.parametrize("path", ["/no/such/emulator", "no-such-emulator", "/etc", ""])
def test_in_lambda_the_emulator_is_ignored_and_need_not_exist(entrypoint: Entrypoint, path: str) -> None:
    environ = {**PLAIN, "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}

    assert entrypoint("--rie-path", path, "echo", "in Lambda", environ=environ) == (0, b"in Lambda\n", "")


def test_an_empty_runtime_api_is_not_lambda(entrypoint: Entrypoint, rie: str) -> None:
    ended = entrypoint("--rie-path", rie, "/bin/echo", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": ""})

    assert arguments(ended)[2:-1] == ["/bin/echo"]


@pytest.fixture(scope="module")
def function(secrets_api: SecretsApi) -> Surroundings:
    """A function with three secrets; the ECR one overrides a key of the APP one, the RDS one both."""
    environ = secrets_api.environ(
        PATH=PLAIN["PATH"],
        OWN="function",
        SECRETS_MANAGER_ARN=secrets_api.create_secret("function/app", '{"A": "app", "B": "app", "C": "app"}'),
        LAMBDA_ENV_SECRETS_MANAGER_ARN_ECR=secrets_api.create_secret("function/ecr", '{"B": "ecr", "C": "ecr"}'),
        LAMBDA_ENV_SECRETS_MANAGER_ARN_RDS=secrets_api.create_secret("function/rds", b'{"C": 5432, "OWN": "rds"}'),
    )
    return Surroundings(environ, directory=REFLECTOR_DIRECTORY)


WANTED = {"A": "app", "B": "ecr", "C": "5432", "OWN": "rds", "AWS_REGION": REGION, "NOWHERE": None}


def test_the_real_emulator_around_the_real_runtime_client_in_local_mode(
    entrypoint: Entrypoint, function: Surroundings
) -> None:
    words = [*entrypoint.words, "--rie-path", str(emulator_path()), "--", *REFLECTOR]
    with running(words, function) as emulator:
        assert emulator.invoke({"names": list(WANTED)}) == (200, {"environment": WANTED})


@pytest.mark.parametrize("options", [[], ["--rie-path", "/no/such/emulator", "--"]])
def test_the_real_runtime_client_in_lambda(entrypoint: Entrypoint, function: Surroundings, options: list[str]) -> None:
    with running([emulator_path(), *entrypoint.words, *options, *REFLECTOR], function) as emulator:
        assert emulator.invoke({"names": list(WANTED)}) == (200, {"environment": WANTED})
        assert "run-lambda-entrypoint: " not in emulator.stdout + emulator.stderr.partition("level=")[0]
