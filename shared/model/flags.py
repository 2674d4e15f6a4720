"""What a reader should know about a memory before trusting it: statements that tell a machine what to do are flagged.

A flag hides nothing. Injected orders are refused by the checks already; what is left here is a person's own wish about
style or habits, or a message kept as it was said.
"""

from __future__ import annotations

import re

INSTRUCTION = "instruction"

_IMPERATIVE = re.compile(
    r"""^\W*(?:please\s+)?(?:
        always|never|do\s+not|don['’]t|must|you\s+(?:must|should|have\s+to)|make\s+sure|remember\s+to|ignore|disregard
      | from\s+now\s+on|whenever|answer|respond|reply|call\s+me|wants?\s+(?:you|the\s+assistant)\s+to
      | immer|niemals|nie|bitte|antworte|ignoriere|ab\s+jetzt
      | siempre|nunca|no\s+(?:me\s+)?\w+es\b|responde|ignora|a\s+partir\s+de\s+ahora
      | toujours|jamais|ne\s+\w+\s+(?:jamais|pas)|réponds|ignore[zr]?|désormais|à\s+partir\s+de\s+maintenant
    )\b|^\W*(?:请|不要|别|总是|永远|务必|必须|忽略|以后)""",
    re.IGNORECASE | re.VERBOSE,
)


def flags_of(kind: str, text: str) -> list[str]:
    """`["instruction"]` for a memory of that kind or of that shape, else []."""
    return [INSTRUCTION] if kind == INSTRUCTION or _IMPERATIVE.match(text) else []
