"""Links in the project's pages lead somewhere: to files and headings that exist, or to a well-formed URL. Offline."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / name for name in ("benchmarks", "docs", "examples")]
PAGES = [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in folder.rglob("*.md"))]
CODE = re.compile(r"^( *)(`{3,}).*?^\1\2$|(?<!`)(`+)(?!`).+?(?<!`)\3(?!`)", re.DOTALL | re.MULTILINE)


def links(page: Path) -> list[str]:
    """What links and images lead to, outside of code."""
    text = CODE.sub("code", page.read_text("utf-8"))
    return re.findall(r"\]\(([^)]*)\)", text) + re.findall(r"<(\w+:[^>]*)>", text)


def anchors(page: Path) -> set[str]:
    """Those that GitHub makes of headings: in lowercase, without punctuation, with hyphens for spaces; numbered from
    the second one of that name."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    fenced = False
    for line in page.read_text("utf-8").splitlines():
        fenced ^= line.lstrip().startswith("```")
        if fenced or not re.match("#{1,6} ", line):
            continue
        heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip())
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def problem(page: Path, link: str) -> str:
    """What is wrong with a link in `page`, or nothing."""
    if re.match(r"\w+:", link):
        url = urlsplit(link)
        well_formed = url.scheme == "https" and re.fullmatch(r"([\w-]+\.)+[a-z]+", url.netloc) and link.isascii()
        return "" if well_formed and not re.search(r"[\s<>\"]", link) else f"{link}: not a well-formed https URL"
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link}: no such file"
    if not target.is_relative_to(ROOT):
        return f"{link}: outside of the repository"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target)):
        return f"{link}: no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_of_a_page_leads_somewhere(page: Path) -> None:
    assert list(filter(None, (problem(page, link) for link in links(page)))) == []


def test_there_are_pages_with_links() -> None:
    assert {ROOT / "README.md", ROOT / "docs/operations.md"} <= {page for page in PAGES if links(page)}


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("other.md#a-b-c-1", ""),
        ("other.md#no", "other.md#no: no such heading"),
        ("other.md#comment", "other.md#comment: no such heading"),
        ("#own-heading-with-code", ""),
        ("none.md", "none.md: no such file"),
        ("/etc/passwd", "/etc/passwd: outside of the repository"),
        ("https://example.com/a#b", ""),
        ("http://example.com/", "http://example.com/: not a well-formed https URL"),
        ("https://example/ a", "https://example/ a: not a well-formed https URL"),
    ],
)
def test_a_link_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str, expected: str) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "other.md").write_text("# A, b: `c`!\n\n## [A b](x) c\n\n```sh\n# comment\n```\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Own heading *with* `code`\n\n`[not](a-link)` [text]({link})\n")
    assert links(page) == [link]
    assert problem(page, link) == expected
