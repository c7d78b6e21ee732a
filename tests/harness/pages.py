"""What a page of docs/ contains, and what the benchmark measured."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def section(page: str, heading: str) -> str:
    """What is below a heading, up to the next one of any level."""
    _, _, rest = page.partition(f"\n{heading}\n")
    assert rest, f"{heading!r} is missing"
    return re.split(r"\n#+ ", rest)[0]


def table(page: str, heading: str, number: int = 0) -> list[list[str]]:
    """The cells of a table below a heading, without its first two lines; `number` counts the tables."""
    found = re.findall(r"(?:^\|.*\|\n)+", section(page, heading) + "\n", re.MULTILINE)[number]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found.splitlines()[2:]]


def measured(variant: str) -> float:
    """Milliseconds of a start with one secret, from a server without delay."""
    report = (ROOT / "benchmarks/results.md").read_text()
    rows = table(report, "## From start to exec in ms, by secrets / the server's delay")
    return {row[0]: float(row[2]) for row in rows if row[2]}[variant]


def quoted(text: str) -> list[str]:
    """What is between backticks."""
    return re.findall("`(.+?)`", text)
