"""Measures how long a function waits for us and for what people use instead. `make bench` runs it.

python -m benchmarks [--rounds N]: writes results.json, results.md and results.svg beside this file.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import measure, prepare, report, server

HOSTS = f"127.0.0.1 localhost {server.HOST}\n"
# Run as $0 and "$@": a network with only a loopback, on which this machine is AWS's host.
SETUP = 'ip link set lo up; mount --bind "$0" /etc/hosts; exec "$@"'


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=20, help="how often each is measured (20)")
    arguments.add_argument("--measure", metavar="FOLDER", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.measure:
        folder = options.measure
        results = measure.everything(folder, options.rounds, isolated=options.isolated)
        report.write(results, folder, options.rounds)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare.prepare(folder)
        (folder / "hosts").write_text(HOSTS)
        namespace = isolation(folder / "hosts")
        again = [sys.executable, "-m", "benchmarks", *sys.argv[1:], "--measure", name]
        again += ["--isolated"] if namespace else []
        code = subprocess.run([*namespace, *again], check=False).returncode
    sys.exit(code)


def isolation(hosts: Path) -> list[str]:
    """What to put before a command so that AWS's host name and port lead to this machine; nothing if not allowed."""
    for rights in ([], ["--user", "--map-root-user"]):
        words = ["unshare", *rights, "--mount", "--net", "sh", "-ec", SETUP, str(hosts)]
        if shutil.which("unshare") and not subprocess.run([*words, "true"], capture_output=True).returncode:
            return words
    return []


if __name__ == "__main__":
    main()
