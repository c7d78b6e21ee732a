"""Shows the main job: three secrets, one archive, one Lambda function that finds their values in its environment."""

import importlib.util
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from tests.harness.emulator import REFLECTOR, REFLECTOR_DIRECTORY, Emulator, EmulatorError, emulator_path, running
from tests.harness.process import Surroundings
from tests.harness.secrets_api import SecretsApi, serving

ROOT = Path(__file__).resolve().parent.parent
ARCHIVE = ROOT / "dist" / "run-lambda-entrypoint.pyz"

# The function's own variables, and its secrets in the order in which they are merged: variable, name, content.
OWN = {"STAGE": "demo", "API_KEY": "none-yet"}
SECRETS: list[tuple[str, str, dict[str, str | int]]] = [
    (
        "SECRETS_MANAGER_ARN",
        "demo/app",
        {"API_KEY": "key-of-app", "USERNAME": "user-of-app", "PASSWORD": "password-of-app"},
    ),
    (
        "LAMBDA_ENV_SECRETS_MANAGER_ARN_P0_ECR",
        "demo/ecr",
        {"REGISTRY": "registry.example.com", "USERNAME": "user-of-ecr", "PASSWORD": "password-of-ecr"},
    ),
    (
        "LAMBDA_ENV_SECRETS_MANAGER_ARN_P1_RDS",
        "demo/rds",
        {"HOST": "db.example.com", "PORT": 5432, "PASSWORD": "password-of-rds"},
    ),
]


def main() -> int:
    """Runs the demo; 0 only if the function saw exactly what it should."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        obstacles = list(missing())
        if obstacles:
            say("The demo cannot run here:", *(f"  - {obstacle}" for obstacle in obstacles))
            return 1
        with serving() as api:
            return show(api)
    except (EmulatorError, OSError) as error:
        say("", f"FAILED: {error}")
        return 1
    except KeyboardInterrupt as interrupt:
        say("", "Interrupted; all that was started has been stopped.")
        return 128 + int(interrupt.args[0])


def missing() -> Iterator[str]:
    """What is missing on this machine, and what to do about it."""
    if not ARCHIVE.is_file():
        yield f"{ARCHIVE.relative_to(ROOT)} is missing; build it with `make dist`"
    for module, package in {"moto": "moto", "flask_cors": "flask-cors", "awslambdaric": "awslambdaric"}.items():
        if importlib.util.find_spec(module) is None:
            yield f"the package {package} is missing; `make demo` installs it, into .venv"
    try:
        emulator_path()
    except (EmulatorError, OSError) as error:
        yield str(error)


def show(api: SecretsApi) -> int:
    """The demo itself, as an exit code."""
    say("1. Secrets Manager (moto's server on loopback) has three secrets, with made-up values:")
    references = {}
    for variable, name, content in SECRETS:
        text = json.dumps(content)
        references[variable] = api.create_secret(name, text)
        say(f"     {name}  {text}")

    say("", "2. The function's configuration only refers to them; anyone who can read it sees no secret:")
    for variable, value in {**OWN, **references}.items():
        say(f"     {variable}={value}")

    say("", "3. The archive starts, with the emulator for local use and the function's runtime client as its command:")
    words: list[str | Path] = [sys.executable, "-ISB", ARCHIVE, "--rie-path", emulator_path(), "--", *REFLECTOR]
    say(f"     $ {shlex.join(readable(str(word)) for word in words)}")
    surroundings = Surroundings(environ=api.environ(**OWN, **references), directory=REFLECTOR_DIRECTORY)
    began = time.monotonic()
    with running(words, surroundings) as emulator:
        program = Path(f"/proc/{emulator.process.pid}/exe").readlink().name
        say(f"     Secrets Manager received {len(api.requests)} requests; after {since(began)} the archive is gone:")
        say(f"     process {emulator.process.pid}, started as Python, is {program} now.")
        return invoke(emulator)


def invoke(emulator: Emulator) -> int:
    """Asks the function what it sees and compares that with what it should see, as an exit code."""
    layers: dict[str, dict[str, str]] = {"the configuration": OWN}
    for _, name, content in SECRETS:
        layers[name] = {key: str(value) for key, value in content.items()}
    expected = {key: value for layer in layers.values() for key, value in layer.items()}

    say("", "4. An invoke over HTTP; the function returns the variables that it sees:")
    event = {"names": list(expected)}
    say(f"     $ curl --data {shlex.quote(json.dumps(event))} {emulator.url}")
    began = time.monotonic()
    status, answer = emulator.invoke(event)
    say(f"     HTTP {status} after {since(began)}")
    if status != 200:
        say("", f"FAILED: the function did not answer: {answer}", emulator.stdout)
        return 1

    seen = answer["environment"]
    for key, value in expected.items():
        *overridden, winner = [name for name, layer in layers.items() if key in layer]
        over = f", overriding {' and '.join(reversed(overridden))}" if overridden else ""
        wrong = "" if seen[key] == value else f"   WRONG, expected {value}"
        say(f"     {key:<8} = {seen[key]!s:<20}  from {winner}{over}{wrong}")
    if seen != expected:
        say("", "FAILED: the function does not see what it should.")
        return 1
    say("", f"OK: all {len(expected)} variables are as they should be.")
    return 0


def say(*lines: str) -> None:
    """Prints at once, also into a pipe."""
    for line in lines:
        print(line, flush=True)


def readable(path: str) -> str:
    """The path as seen from here, where that is shorter."""
    return min(path, os.path.relpath(path) if path.startswith("/") else path, key=len)


def since(began: float) -> str:
    """The time that has passed, for people."""
    return f"{time.monotonic() - began:.2f} s"


def _interrupt(number: int, _: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # once is enough; nothing disturbs the cleaning up
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
