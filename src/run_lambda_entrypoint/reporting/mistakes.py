"""What people write by mistake: where a reference is expected, and as the name of a variable."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from ..text import MAX_LISTED, encode, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..references import Form

# What is wrong with a text that is not a valid reference, in fixed words: somebody may have typed a secret into it.
QUOTES = r"[\"'`\xb4\xab\xbb\u2018-\u201f]"
MISTAKES = (
    (re.compile(rf"\A{QUOTES}|{QUOTES}\Z"), "it is in quotation marks; remove them"),
    (
        re.compile(rf"arn:.*[\s,;|]{QUOTES}?arn:", re.IGNORECASE | re.DOTALL),
        "it contains several ARNs; use one variable for each",
    ),
    (re.compile(r"\A/.*[\s,;|]/", re.DOTALL), "it contains several paths; use one variable for each"),
    (re.compile(r"\A(?!arn:)[a-z][a-z0-9+.:-]*://", re.IGNORECASE), "it is a URL"),
    (re.compile(r"\A/+arn:", re.IGNORECASE), "remove the slash before arn:"),
    (re.compile(r"\A(?!(?-i:arn:))arn:", re.IGNORECASE), "arn: must be lowercase"),
    (re.compile(r"\$\{[^}]*\}"), "${...} in it was not replaced; in CloudFormation use Fn::Sub"),
    (re.compile(r"\{\{.*\}\}", re.DOTALL), "{{...}} in it was not replaced by a template engine"),
    (re.compile(r"\A(?!arn:)[ -~]+arn:aws", re.IGNORECASE), "it contains an ARN and other text; write the ARN alone"),
    (re.compile(r"<[^<>]+>"), "<...> in it is a placeholder; replace it"),
)
MAX_TEXT = 2_000  # characters, more than any reference has: the time that some of these take grows with the square
# Of a name, what is compared, and how alike it must be (TIMEOUT is 0.64 like TIMEOUT_SECONDS). What looks like a whole
# prefix rather is a part of it and the rest of the name, as in VALUE_X.
MAX_WORDS, MAX_LENGTH, SIMILAR = 6, 40, 0.6
WITHOUT_REST = 0.9


def recognized(text: str) -> str:
    """What is wrong with `text`, if that is a common mistake, or nothing."""
    return next((words for pattern, words in MISTAKES if pattern.search(text[:MAX_TEXT])), "")


def unrecognized(names: Collection[str], variables: Sequence[str], forms: Sequence[Form], namespace: str) -> list[str]:
    """A line for each of `names`, in byte order, with the nearest of `variables` and of the prefixes of `forms`, all of
    which may begin with `namespace`."""
    ordered = sorted(names, key=encode)
    # The log shows as many. Comparing takes 0.1 ms each.
    return [
        *(_suggestion(name, _nearest(name, variables, forms, namespace)) for name in ordered[:MAX_LISTED]),
        *(_suggestion(name, "") for name in ordered[MAX_LISTED:]),
    ]


def _suggestion(name: str, right: str) -> str:
    if right:
        return f"{printable(name)} is not recognized; did you mean {printable(right)}?"
    return f"{printable(name)} is not recognized; see --help"


def _nearest(name: str, variables: Sequence[str], forms: Sequence[Form], namespace: str) -> str:
    """The variable that was meant, with the rest of `name` behind a prefix; "" if none is similar."""
    own = name.removeprefix(namespace)
    words = own.split("_")
    scores = {variable: _similarity(own, variable.removeprefix(namespace)) for variable in variables}
    for form in forms:
        known = form.variable.removeprefix(namespace).rstrip("_")
        for count in range(1, min(len(words), MAX_WORDS) + 1):
            score, rest = _similarity("_".join(words[:count]), known), "_".join(words[count:])
            right = form.variable + rest if rest else form.shown
            scores[right] = max(scores.get(right, 0), score if rest else score * WITHOUT_REST)
    right = max(scores, key=lambda name: scores[name])
    return right if scores[right] >= SIMILAR else ""


def _similarity(given: str, known: str) -> float:
    return SequenceMatcher(None, given[:MAX_LENGTH].upper(), known).ratio()
