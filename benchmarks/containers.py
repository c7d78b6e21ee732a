"""Measures the start of the examples' containers until the function polls for work, with this program and without.

python -m benchmarks.containers [--rounds N]: `make bench-containers` runs it, and builds what it needs first.
"""

import argparse
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import measure, server
from tests.containers.base_images import STAND_INS, base_images
from tests.containers.builders import CLASSIC, builder
from tests.containers.engine import Docker, engine
from tests.containers.examples import DISTROLESS, GO, JAVA, NODE, Example, images

EXAMPLES = {"Node.js": NODE, "Java": JAVA, "Go": GO, "Python": DISTROLESS}
WITHOUT, WITH = "without", "with"
LINE = "| {:<8} | {:<18} | {:>11} | {:>8} | {:>14} | {:>5} |"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=20, help="how often each is measured (20)")
    rounds = arguments.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as name,
        engine() as running,
        base_images(running),
        builder(running, CLASSIC, [base.name for base in STAND_INS]) as docker,
        images(docker),
    ):
        folder = Path(name)
        folder.chmod(0o755)
        server.authority(folder)
        caches = (measure.WARM, measure.COLD) if measure.drop_page_cache() else (measure.WARM,)
        with measure.serving(folder, isolated=False) as ports:
            print("from `docker start` to the first poll, median of", rounds, "rounds; one secret over TLS")
            print(LINE.format("runtime", "page cache", "without, ms", "with, ms", "difference, ms", "ratio"))
            print(LINE.format(*("---",) * 6))
            for runtime, example in EXAMPLES.items():
                for cache in caches:
                    print(row(runtime, cache, medians(docker, example, folder, ports[0], cache, rounds)))


def row(runtime: str, cache: str, found: dict[str, float]) -> str:
    without, ours = found[WITHOUT], found[WITH]
    figures = (f"{without:.0f}", f"{ours:.0f}", f"{ours - without:.0f}", f"{ours / without:.2f}")
    return LINE.format(runtime, cache, *figures)


def medians(docker: Docker, example: Example, folder: Path, port: int, cache: str, rounds: int) -> dict[str, float]:
    """Milliseconds, each of the two by turns in each round; a first round is not counted."""
    found: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    for _ in range(rounds + 1):
        for which, taken in found.items():
            taken.append(first_poll(docker, example, folder, port, which, cold=cache == measure.COLD))
    return {which: statistics.median(taken[1:]) for which, taken in found.items()}


def first_poll(docker: Docker, example: Example, folder: Path, port: int, which: str, *, cold: bool) -> float:
    """Milliseconds from `docker start` to the runtime client's first request. The engine's share is in both."""
    image = docker.inspect(example.image)["Config"]
    words = [*image["Entrypoint"], *(image["Cmd"] or ())]
    if which == WITHOUT:
        words = words[words.index("--") + 1 :]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(measure.HANG)
        environ = measure.references(1) | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listening.getsockname()[1]}",
            "AWS_REGION": server.REGION,
            "AWS_ACCESS_KEY_ID": server.KEY_ID,
            "AWS_SECRET_ACCESS_KEY": server.SECRET_KEY,
            "AWS_ENDPOINT_URL": f"https://localhost:{port}",
            "AWS_CA_BUNDLE": f"/benchmark/{server.CA}",
        }
        variables = [f"--env={name}={value}" for name, value in environ.items()]
        volume = f"--volume={folder}:/benchmark:ro"
        options = ["--network=host", volume, *variables, f"--entrypoint={words[0]}", example.image]
        made = docker("create", *options, *words[1:]).strip()
        try:
            if cold:
                measure.drop_page_cache()
            start = ["docker", "start", made]
            began = time.perf_counter()
            # Not awaited: the client may end after the first poll.
            with subprocess.Popen(start, env=docker.environ, stdout=subprocess.DEVNULL):
                connection, _ = listening.accept()
                connection.settimeout(measure.HANG)
                asked = connection.recv(65536)
                taken = time.perf_counter() - began
            connection.close()
        finally:
            docker("rm", "--force", made)
    if not asked.startswith(measure.NEXT):
        raise SystemExit(f"{example.name}, {which}: {asked!r}")
    return taken * 1000


if __name__ == "__main__":
    main()
