"""Which script a text is written in, and whether that script puts spaces between words."""

from __future__ import annotations

import re
from collections.abc import Iterator

_UNSPACED_CLASS = (
    "\u0e01-\u0e5b\u0e80-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Tibetan, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"  # Japanese, Chinese
    "\U00020000-\U0003ffff"
)
_UNSPACED = re.compile(f"[{_UNSPACED_CLASS}]")
_LETTER = re.compile(r"[^\W\d_]")
_SCRIPTS = {
    "latin": re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff\uff21-\uff5a]"),
    "cyrillic": re.compile("[\u0400-\u052f]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "arabic": re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "hangul": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "chinese or japanese": re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
}
_MIN_SHARE = 0.3


def is_unspaced(char: str) -> bool:
    """True for a character of a script that does not put spaces between words."""
    return char >= "\u0e01" and _UNSPACED.match(char) is not None


def unspaced_letters(text: str) -> int:
    return len(_UNSPACED.findall(text))


def is_spaced(text: str) -> bool:
    """False where a good part of the letters belongs to scripts without spaces."""
    unspaced = unspaced_letters(text)
    return unspaced == 0 or unspaced < _MIN_SHARE * max(1, len(_LETTER.findall(text)))


def main_script(text: str) -> str | None:
    """The script of most letters; None without letters or where none leads."""
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    name = max(counts, key=lambda key: counts[key])
    return name if 2 * counts[name] > sum(counts.values()) else None


def scripts(text: str) -> Iterator[str]:
    """Every script that occurs."""
    return (name for name, pattern in _SCRIPTS.items() if pattern.search(text))
