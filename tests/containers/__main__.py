"""Has an engine, the base images and the examples' images ready, runs the tests on them, and clears up."""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.containers.base_images import STAND_INS, base_images
from tests.containers.builders import BUILDERS, CLASSIC, builder
from tests.containers.engine import ROOT, Docker, EngineError, engine
from tests.containers.examples import images

PREPARED = "CONTAINER_TESTS_PREPARED"


def main() -> int:
    """pytest's exit code, or 1 if it was not reached. Arguments that are not ours are pytest's."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--builders", default=CLASSIC, help=f"of {', '.join(BUILDERS)}, or all ({CLASSIC})")
    options, pytest_options = arguments.parse_known_args()
    chosen = BUILDERS if options.builders == "all" else options.builders.split(",")
    if unknown := set(chosen) - set(BUILDERS):
        arguments.error(f"unknown builder {min(unknown)}; expected {', '.join(BUILDERS)}, or all")
    try:
        with engine() as docker, base_images(docker):
            return max(test(docker, name, pytest_options) for name in chosen)
    except (EngineError, OSError, subprocess.SubprocessError) as error:
        print(f"The container tests cannot run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print("Interrupted; all that was started has been stopped.", file=sys.stderr)
        return 128 + int(interrupt.args[0])


def test(docker: Docker, name: str, options: Sequence[str]) -> int:
    """pytest's exit code for the images of one builder. Raises EngineError."""
    began = time.monotonic()
    with builder(docker, name, [base.name for base in STAND_INS]) as chosen, images(chosen):
        print(f"images built by {name}, in {time.monotonic() - began:.0f} s", flush=True)
        tests = [sys.executable, "-m", "pytest", "-nauto", str(Path(__file__).parent), *options]
        return subprocess.run(tests, env={**chosen.environ, PREPARED: "yes"}, cwd=ROOT).returncode


def _interrupt(number: int, _: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # once is enough; nothing disturbs the clearing up
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
