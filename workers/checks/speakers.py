"""A statement stays with the person who made it: it does not begin with the name of somebody else who only listens."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.model.message import Message, Window
from workers.checks.names import plain

_FIRST = re.compile(r"[^\W\d_]+(?:[ -][^\W\d_]+)?")
_TO_THE_OTHER = re.compile(
    r"\b(?:you|your|yours|you're|u|ur|we|we're|our|us|both|let's|du|dein\w*|dir|dich|ihr|euch|euer|eure\w*|sie|ihnen|ihre\w*|wir|uns\w*|tu|tus|tú|ti|te|usted\w*|vosotr\w*|"
    r"su|sus|nosotr\w*|nuestr\w*|vous|votre|vos|toi|ton|ta|tes|nous|notre|nos)\b|[你您妳]|我们",
    re.IGNORECASE,
)


def wrong_speaker(text: str, cited: Sequence[Message], window: Window) -> str | None:
    """The name a statement begins with, where that person neither spoke nor was spoken of or to."""
    names = {plain(message.speaker): message.speaker for message in window.messages if message.speaker}
    first = _FIRST.match(text)
    if first is None or len(names) < 2:
        return None
    name = next((names[said] for said in (plain(first[0]), plain(first[0].split()[0])) if said in names), None)
    if name is None or any(message.speaker == name for message in cited):
        return None
    mentioned = any(plain(name) in plain(message.text) or _TO_THE_OTHER.search(message.text) for message in cited)
    return None if mentioned else name
