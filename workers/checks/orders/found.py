"""Orders planted in text for whoever reads the memory later; a user's plain wish about style or habits is none.

Looked for in the statement and in the sentence that it quotes. The patterns are written for lower case.
"""

from __future__ import annotations

import re

from workers.checks.orders import chinese, english, french, german, spanish
from workers.checks.orders.fragments import ADDRESS, DATA, DO, NO_NOUN
from workers.checks.visible import visible

_LONGEST = 1_500
_PATTERNS = tuple(
    re.compile(
        pattern.replace("%DO%", DO).replace("%DATA%", DATA).replace("%ADDRESS%", ADDRESS).replace("%NO_NOUN%", NO_NOUN)
    )
    for language in (english, german, spanish, french, chinese)
    for pattern in language.PATTERNS
)


def gives_orders(text: str) -> bool:
    """True for a text that sets rules aside, speaks to the machine behind the conversation, or wants something sent."""
    text = visible(text[:_LONGEST]).lower().replace("’", "'")  # lower case once is cheaper than in every pattern
    return any(pattern.search(text) for pattern in _PATTERNS)
