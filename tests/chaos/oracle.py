"""What every start owes, whatever happens to it: one check a function, which returns what is wrong, or nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.behavior.test_leaks import traces
from tests.chaos.choices import NAMES, PIPE, Choice
from tests.chaos.servers import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.starts import Outcome

EXIT_CODES = {0, 2, 125, 126, 127, 130, 143}
WITHOUT_COMMAND = {"dry run", "dry run as JSON", "help", "version"}
"""Command lines that end with 0 and start nothing."""

REFUSED = ("wrong option", "required but missing", "invalid template")
"""Environments with which nothing may start."""

# OpenSSL too has an "internal error".
NOT_OURS = ("Traceback", "internal error: ", "Exception ignored", "raised ValueError")
LINE = re.compile(r"run-lambda-entrypoint: [^\x00-\x1f]+")
LEEWAY = 1.0
"""What a start may take beyond its deadline, in seconds."""


def problems(choice: Choice, outcome: Outcome) -> list[str]:
    """All that is wrong with a start; nothing is with one that died before its first statement."""
    if died_early(choice, outcome):
        return []
    return [problem for check in CHECKS if (problem := check(choice, outcome))]


def died_early(choice: Choice, outcome: Outcome) -> bool:
    return outcome.caught is False and outcome.command is None


def exit_code(choice: Choice, outcome: Outcome) -> str:
    if outcome.command is not None or outcome.code in EXIT_CODES:
        return ""
    if outcome.code == -choice.signal and outcome.answered:
        return ""  # between our last statement and the command's first
    return "it hung" if outcome.code is None else f"exit code {outcome.code}"


def command(choice: Choice, outcome: Outcome) -> str:
    if outcome.command is None:
        if outcome.code == 0 and choice.command not in WITHOUT_COMMAND:
            return "exit code 0 without the command"
        dry = outcome.code == 0 and choice.command.startswith("dry run") and environment(choice, outcome.own) is None
        return "a dry run succeeded without its secrets" if dry else ""
    if outcome.caught is not None and outcome.code is None and not choice.pid_1:
        return "it started the command after a signal, which was lost"
    expected = environment(choice, outcome.own)
    if expected is None:
        return "it started the command without its secrets"
    missing, more = Counter(expected) - Counter(outcome.command), Counter(outcome.command) - Counter(expected)
    return f"the command's environment lacks {[*missing]}, and has {[*more]}" if missing or more else ""


def environment(choice: Choice, own: list[bytes]) -> list[bytes] | None:
    """The entries that the command has to get; None if it must not be started."""
    loaded = {
        "one": {NAMES[0]: value(NAMES[0])},
        "twenty": {name: value(name) for name in NAMES},
        "single value": {"SINGLE": value(NAMES[0])},
        "parameters": {name: value(name) for name in NAMES[:12]},
        "path": {name.upper(): value(name) for name in NAMES[:3]},
        "none": {},
    }.get(choice.references)
    overrides_denied = choice.environment == "overrides denied" and loaded and loaded.keys() & set(NAMES)
    if loaded is None or overrides_denied or choice.environment in REFUSED or choice.command == "unknown option":
        return None
    if choice.environment == "composed":
        if choice.references in ("one", "twenty"):
            prefix = "P_" if choice.references == "one" else ""
            loaded = {prefix + name.upper(): text for name, text in loaded.items()}
        [start] = [entry.removeprefix(b"CHAOS=").decode() for entry in own if entry.startswith(b"CHAOS=")]
        loaded["COMPOSED"] = f"<{quote(start, safe='')}>"
        loaded["STORE"] = b64encode(value(NAMES[0]).encode()).decode()
        loaded |= {f"E_{name.upper()}": value(name) for name in NAMES[:3]}
    if choice.environment == "own values kept":
        loaded = {name: text for name, text in loaded.items() if name not in NAMES[:10]}
    entries: dict[bytes, bytes] = {}
    for entry in own:
        name, equals, text = entry.partition(b"=")
        if name and equals:
            entries.setdefault(name, text)
    entries |= {name.encode(): text.encode() for name, text in loaded.items()}
    return [name + b"=" + text for name, text in entries.items()]


def words(_: Choice, outcome: Outcome) -> str:
    found = [text for text in NOT_OURS if text.encode() in outcome.err + outcome.posted]
    return f"it says {found}" if found else ""


def markers(_: Choice, outcome: Outcome) -> str:
    output = b"\n".join([outcome.out, outcome.err, outcome.posted, *outcome.cmdlines])
    found = traces(output.decode(errors="backslashreplace"))
    return f"a value shows: {found}" if found else ""


def lines(choice: Choice, outcome: Outcome) -> str:
    if choice.stderr != PIPE:
        return ""
    text = outcome.err.decode(errors="backslashreplace")
    odd = [line for line in text.split("\n")[:-1] if not is_ours(line, as_json=choice.log_format == "JSON")]
    if not text.endswith("\n") and text:
        odd.append(text.rpartition("\n")[2])
    return f"not a line of ours: {odd[0]!r:.300}" if odd else ""


def is_ours(line: str, *, as_json: bool) -> bool:
    if not as_json:
        return bool(LINE.fullmatch(line))
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and found.keys() >= {"timestamp", "level", "message"}


def files(_: Choice, outcome: Outcome) -> str:
    return f"it wrote {outcome.written}" if outcome.written else ""


def processes(_: Choice, outcome: Outcome) -> str:
    return f"processes are left: {outcome.left}" if outcome.left else ""


def duration(choice: Choice, outcome: Outcome) -> str:
    if not CPU_QUOTA or not late(choice, outcome):
        return ""
    return f"it took {outcome.seconds:.2f} s, of which {outcome.waited:.2f} s waiting for a CPU"


def late(choice: Choice, outcome: Outcome) -> bool:
    return outcome.seconds > choice.deadline + LEEWAY + outcome.waited


def cpu_quota() -> float:
    """How many CPUs the cgroup of this process may use; 0 without a quota: there, other programs may take any share."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        for path in (group, "/"):  # in a container, the root is its own group
            folder = Path(f"/sys/fs/cgroup{path}")
            files = [folder / "cpu.max"]
            if "cpu" in controllers.split(","):
                folder = Path(f"/sys/fs/cgroup/cpu{path}")
                files = [folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"]
            if all(file.is_file() for file in files):
                quota, period = " ".join(file.read_text() for file in files).split()
                if quota not in ("max", "-1"):
                    return int(quota) / int(period)
    return 0


CPU_QUOTA = cpu_quota()
CHECKS: list[Callable[[Choice, Outcome], str]] = [
    *(exit_code, command, words, markers, lines, files, processes, duration)
]
