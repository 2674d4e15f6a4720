"""Text folded for comparing quotes: case, width, accents' encoding, punctuation and white space do not count.

Every folded character knows which characters of the original it stands for.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass, field

from workers.checks.script import is_unspaced

# A character with the marks that normalisation may fuse with it, so that spans stay exact.
_CLUSTER = re.compile("\\S[\u0300-\u036f\u1160-\u11ff\u20d0-\u20ff\u3099\u309a\uff9e\uff9f]*")
_APOSTROPHES = frozenset("'’‘ʼ＇`´")


@dataclass(slots=True)
class Folded:
    """`text[i]` stands for the original's characters from `starts[i]` to `ends[i]`. Words are one space apart."""

    text: str = ""
    starts: array[int] = field(default_factory=lambda: array("l"))
    ends: array[int] = field(default_factory=lambda: array("l"))

    def find(self, part: Folded) -> tuple[int, int] | None:
        """The span in the original of the first occurrence of `part` as whole words."""
        at = self.text.find(part.text) if part.text else -1
        while at >= 0:
            end = at + len(part.text)
            if _is_edge(self.text, at) and _is_edge(self.text, end):
                return self.starts[at], self.ends[end - 1]
            at = self.text.find(part.text, at + 1)
        return None


def fold(text: str) -> Folded:
    """`text` folded; linear in its length."""
    folded, gap, last = Folded(), False, 0
    chars: list[str] = []
    for match in _CLUSTER.finditer(text):
        start, end = match.span()
        gap = gap or start > last
        last = end
        for char in _folded_cluster(match[0]):
            if not char:
                gap = True
                continue
            if gap and chars and not is_unspaced(char) and not is_unspaced(chars[-1]):
                chars.append(" ")
                folded.starts.append(start)
                folded.ends.append(start)
            gap = False
            chars.append(char)
            folded.starts.append(start)
            folded.ends.append(end)
    folded.text = "".join(chars)
    return folded


def _folded_cluster(cluster: str) -> list[str]:
    """Its letters, digits and marks; "" separates words; apostrophes and invisible signs are dropped."""
    if cluster.isascii():
        return [cluster.lower()] if cluster.isalnum() else [] if cluster in _APOSTROPHES else [""]
    found = []
    for char in unicodedata.normalize("NFKC", cluster).casefold():
        category = unicodedata.category(char)
        if char.isalnum() or (category[0] == "M" and not "\ufe00" <= char <= "\ufe0f"):
            found.append(char)
        elif char not in _APOSTROPHES and category != "Cf":
            found.append("")
    return found


def _is_edge(text: str, at: int) -> bool:
    """True where a word begins or ends."""
    if at in (0, len(text)):
        return True
    before, behind = text[at - 1], text[at]
    return before == " " or behind == " " or is_unspaced(before) or is_unspaced(behind)
