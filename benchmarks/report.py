"""From what was measured to a table, a chart and a file for machines."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime, timezone
from hashlib import sha256
from importlib.metadata import version
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from benchmarks import measure, prepare
from benchmarks.measure import COLD, FAULTS, MEMORY, READ, SIZE, TRUST, WARM, Results, case, poll
from benchmarks.prepare import (
    AWSLAMBDARIC,
    BARE,
    EXECUTABLES,
    FLOOR,
    GO,
    GO_CLIENT,
    ONE_CERTIFICATE,
    OURS,
    OURS_BOTOCORE,
    OURS_BY_PYTHON,
    OURS_EXECUTABLE,
    OURS_EXECUTABLE_BOTOCORE,
    OWN_ROOTS,
    PLAIN,
    SHIV_FIRST,
)
from standalone.__main__ import MAX_SIZE

HERE = Path(__file__).resolve().parent
NONE, ONE, TEN = case(0, 0), case(1, 0), case(10, 20)
POLLS = {
    client: {poll(client, cache): f"{cache}, ms" for cache in (WARM, COLD)} for client in (AWSLAMBDARIC, GO_CLIENT)
}
# What, whose figure, over whose, at most; None where there is nothing to divide by, or no limit.
TARGETS = (
    ("one secret: ./FILE / floor", (ONE, OURS), (ONE, FLOOR), 0.68),
    ("one secret: python3 FILE / floor", (ONE, OURS_BY_PYTHON), (ONE, FLOOR), 0.88),
    ("one secret: ./FILE / Go", (ONE, OURS), (ONE, GO), 2.4),
    ("no reference: ./FILE / python3 -IS -c pass, plus exec", (NONE, OURS), (NONE, BARE), 1.25),
    ("one secret: trust by own roots / by one certificate", (TRUST, OWN_ROOTS), (TRUST, ONE_CERTIFICATE), 1.03),
    ("ten secrets at 20 ms: ./FILE / Go", (TEN, OURS), (TEN, GO), 0.23),
    ("one secret: over botocore / botocore script", (ONE, OURS_BOTOCORE), (ONE, PLAIN), 0.80),
    ("one secret: peak memory, MB", (MEMORY, OURS), None, 16),
    ("one secret: executable / floor", (ONE, OURS_EXECUTABLE), (ONE, FLOOR), 0.52),
    ("one secret: executable / Go", (ONE, OURS_EXECUTABLE), (ONE, GO), 1.9),
    ("executable with no reference / Go with one secret", (NONE, OURS_EXECUTABLE), (ONE, GO), 1.0),
    ("one secret: executable over botocore / botocore script", (ONE, OURS_EXECUTABLE_BOTOCORE), (ONE, PLAIN), 0.90),
    *((f"{path.name}: size, MB", (SIZE, path.name), None, MAX_SIZE / 1e6) for path in EXECUTABLES.values()),
    *(
        (f"until {client} polls, {cache}: {name} / Go", (poll(client, cache), ours), (poll(client, cache), GO), None)
        for client, name, ours in ((AWSLAMBDARIC, "./FILE", OURS), (GO_CLIENT, "executable", OURS_EXECUTABLE))
        for cache in (WARM, COLD)
    ),
)
CHARTED = (OURS, OURS_EXECUTABLE, GO, PLAIN, SHIV_FIRST)


INTRODUCTION = """\
# Benchmarks

Written by `make bench` on {date} at commit {commit}, {rounds} rounds.
{machine}. {told}.

Times are medians, from the start of the process to the end of the wrapped `/bin/true`. All variants take turns, in
changing order, once a round (the slowest ones in every fourth); ratios are medians of the ratios within each round.
`run-lambda-entrypoint` is the archive itself, executed as an `ENTRYPOINT` is (`./FILE`); the interpreter that its
shebang line names runs every other Python script too. The executable has its own interpreter. The server stands on
loopback, speaks TLS 1.3, checks every signature and waits before it replies.

What the benchmark itself uses of the interpreter and its libraries stays in the dropped page cache. There, the archive
and scripts seem faster than they are, and read less; the executable and the Go program do not. Page faults, with a warm
page cache, and what is read from disk include the wrapped `/bin/true`, and child processes. The kernel reads ahead, as
far as the disk's `read_ahead_kb` says: what is read may be a whole file where a start needs part of it. Peak memory is
the largest process's, by wait4; less than 9 MB cannot be seen.

![Milliseconds from start to exec, one secret and ten](results.svg)
"""


def write(results: Results, folder: Path, rounds: int) -> None:
    content = summary(results, folder, rounds)
    (HERE / "results.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (HERE / "results.md").write_text(markdown(content), "utf-8")
    (HERE / "results.svg").write_text(chart(content), "utf-8")
    print(HERE / "results.md")


def summary(results: Results, folder: Path, rounds: int) -> dict[str, Any]:
    cases: dict[str, dict[str, Any]] = {}
    for (name, variant), values in results.items():
        known = [value for value in values if value is not None]
        cases.setdefault(name, {})[variant] = {
            "median": round(median(known), 1),
            "least": round(min(known), 1),
            "runs": len(known),
        }
    absent = prepare.absent(folder)
    if TRUST not in cases:
        absent["trust"] = "needs unshare, ip and mount, and the right to use them"
    if READ not in cases:
        absent[COLD] = "needs root, and /proc/sys/vm/drop_caches"
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": commit(),
        "sha256": {
            name: sha256((folder / name).read_bytes()).hexdigest()
            for name in (prepare.ARCHIVE.name, prepare.EXECUTABLE.name)
        },
        "machine": machine(),
        "versions": versions(folder),
        "rounds": rounds,
        "targets": targets(results),
        "cases": cases,
        "absent": absent,
    }


def targets(results: Results) -> list[dict[str, Any]]:
    rows = []
    for name, ours, theirs, most in TARGETS:
        if ours in results and (theirs is None or theirs in results):
            pairs = zip(results[ours], results[theirs] if theirs else repeat(1), strict=bool(theirs))
            value = round(median(one / other for one, other in pairs if one and other), 2)
        else:
            value = None
        met = None if value is None or most is None else value <= most
        rows.append({"target": name, "at_most": most, "measured": value, "met": met})
    return rows


def commit() -> str:
    git = ["git", "--no-optional-locks", "-C", str(HERE), "describe", "--always", "--dirty"]
    return subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def machine() -> str:
    """Processor, cores, memory and kernel."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, Linux {platform.release()}"


def versions(folder: Path) -> dict[str, str]:
    question = "import platform, ssl; print(platform.python_version(), ssl.OPENSSL_VERSION, sep=', ')"
    python = output([prepare.PYTHON, "-Ic", question])
    packages = ("botocore", "shiv", "awscli", "awslambdaric")
    own = output([str(folder / prepare.EXECUTABLE.name), "--version"]).splitlines()[-1]
    found = {"Python": python, "executable": own, **{name: version(name) for name in packages}}
    program = folder / "go"
    if program.exists():
        found["Go"] = output([str(program), "--version"])
    return found


def output(words: Sequence[str]) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def markdown(content: dict[str, Any]) -> str:
    cases = content["cases"]
    starts = {case(*key): f"{key[0]} / {key[1]} ms" if key[0] else "0" for key in measure.CASES}
    told = "; ".join(f"{name} {value}" for name, value in content["versions"].items())
    verdict = {True: "met", False: "missed", None: ""}
    targets = [
        [row["target"], row["at_most"] or "", shown(row["measured"]) or "absent", verdict[row["met"]]]
        for row in content["targets"]
    ]
    sections = {
        "Targets": table(["", "at most", "measured", ""], targets),
        "From start to exec in ms, by secrets / the server's delay": matrix(starts, cases),
        "One secret from AWS's own host name, by trust": matrix({TRUST: "ms"}, cases),
        **{
            f"Until {client} first asks for work, one secret": matrix(columns, cases)
            for client, columns in POLLS.items()
        },
        "Memory, one secret": matrix({MEMORY: "peak, MB", FAULTS: FAULTS, READ: f"read from disk, {COLD}, MB"}, cases),
        "Size": matrix({SIZE: "MB"}, cases),
        "Absent": table(["", "why"], list(content["absent"].items())),
    }
    text = INTRODUCTION.format(**content, told=told)
    return text + "".join(f"\n## {title}\n\n{body}\n" for title, body in sections.items() if body)


def matrix(columns: dict[str, str], cases: dict[str, Any]) -> str:
    """A row for each variant, a column for each case that was measured."""
    columns = {column: title for column, title in columns.items() if column in cases}
    names = dict.fromkeys(name for column in columns for name in cases[column])
    return table(
        ["", *columns.values()],
        [[name, *(shown(cases[column].get(name, {}).get("median")) for column in columns)] for name in names],
    )


def table(head: list[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) if rows else ""


def shown(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}" if value >= 100 else f"{value:g}"


STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 }
rect { fill: #8c959f } .ours { fill: #0969da }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } rect { fill: #6e7681 } .ours { fill: #58a6ff } }
"""
LABELS, BARS, STEP = 290, 420, 22
"""Widths, and the height of a line, in pixels."""


def chart(content: dict[str, Any]) -> str:
    """Bars for a start with one secret, and with ten of a service that takes 20 ms. The longest are cut off."""
    lines = []
    y = 0
    for name, title in ((ONE, "One secret"), (TEN, "Ten secrets, 20 ms each")):
        y += STEP + STEP // 2
        lines.append(f'<text class="title" y="{y}">{title}: milliseconds from start to exec</text>')
        medians = {variant: row["median"] for variant, row in content["cases"][name].items() if variant in CHARTED}
        most = medians[PLAIN] * 2.5
        for variant, value in sorted(medians.items(), key=lambda item: item[1]):
            y += STEP
            width = min(value / most, 1) * BARS
            chosen = ' class="ours"' if variant in (OURS, OURS_EXECUTABLE) else ""
            cut = " »" if value > most else ""
            lines += [
                f'<text x="{LABELS - 8}" y="{y}" text-anchor="end">{escape(variant)}</text>',
                f'<rect{chosen} x="{LABELS}" y="{y - 13}" width="{width:.1f}" height="16" rx="2"/>',
                f'<text x="{LABELS + width + 6:.1f}" y="{y}">{value:.0f}{cut}</text>',
            ]
    size = f'width="{LABELS + BARS + 70}" height="{y + STEP}"'
    box = f'viewBox="0 0 {LABELS + BARS + 70} {y + STEP}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>\n<style>{STYLE}</style>\n'
    return head + "\n".join(lines) + "\n</svg>\n"
