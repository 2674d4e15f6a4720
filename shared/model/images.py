"""What a memory was before a change: kept with each version, so that the past can be read and a change undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from shared.model.memory import Memory

_UNDONE = (
    "text", "kind", "about", "role", "speaker", "weight", "metadata", "precision", "state", "immutable",
    "evidence_count", "extractor",
)  # fmt: skip
_UNDONE_TIMES = ("happens_at", "happens_until", "valid_from", "valid_to", "observed_at", "expires_on")


def before_image(old: Memory | None) -> dict[str, Any] | None:
    """The fields a change replaced, as JSON, so that the change can be undone."""
    if old is None:
        return None
    image: dict[str, Any] = {name: getattr(old, name) for name in _UNDONE}
    image |= {name: value.isoformat() for name in _UNDONE_TIMES if (value := getattr(old, name)) is not None}
    return image | {"categories": list(old.categories), "index_text": old.index_text}


def restored(memory: Memory, image: Mapping[str, Any]) -> Memory:
    """The memory with the fields of an image; its hash, version and row times are left to the caller."""
    values: dict[str, Any] = {name: image[name] for name in _UNDONE if name in image}
    for name in _UNDONE_TIMES:
        read = date.fromisoformat if name == "expires_on" else datetime.fromisoformat
        values[name] = read(image[name]) if name in image else None
    values["observed_at"] = values["observed_at"] or memory.observed_at
    return replace(memory, **values, categories=tuple(image["categories"]), index_text=image["index_text"])
