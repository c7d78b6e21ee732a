"""Has an engine, the base images and the examples' images ready, runs the tests on them, and clears up."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from tests.containers.base_images import base_images
from tests.containers.engine import ROOT, EngineError, engine
from tests.containers.examples import images

PREPARED = "CONTAINER_TESTS_PREPARED"


def main() -> int:
    """pytest's exit code, or 1 if it was not reached. Arguments are pytest's."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        with engine() as docker, base_images(docker), images(docker):
            print(f"prepared in {time.monotonic() - began:.0f} s", flush=True)
            tests = [sys.executable, "-m", "pytest", "-nauto", str(Path(__file__).parent), *sys.argv[1:]]
            return subprocess.run(tests, env={**docker.environ, PREPARED: "yes"}, cwd=ROOT).returncode
    except (EngineError, OSError, subprocess.SubprocessError) as error:
        print(f"The container tests cannot run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print("Interrupted; all that was started has been stopped.", file=sys.stderr)
        return 128 + int(interrupt.args[0])


def _interrupt(number: int, _: FrameType | None) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # once is enough; nothing disturbs the clearing up
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    sys.exit(main())
