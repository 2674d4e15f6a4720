"""Embeddings from an OpenAI-compatible server; base64 on the wire goes straight into one float32 array."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shared.embeddings.port import Embedded
from shared.embeddings.rows import PROVIDER, Vectors, sendable, stacked
from shared.provider.client import ProviderClient, Reply
from shared.provider.failures import decoded, failure_of, read_error

MOST_INPUTS = 2_048  # per request, as is
MOST_CHARS = 200_000  # the limit of 300,000 tokens a request holds for any script


class OpenAIEmbedder:
    """Thread-safe. `dimensions` pins the size; None takes what the model gives."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dimensions: int | None = None,
        timeout: float = 15.0,
    ) -> None:
        self._model = model
        self._pinned = dimensions
        self._size = dimensions
        self._refused: frozenset[str] = frozenset()
        self._client = ProviderClient(PROVIDER, base_url, api_key, timeout)

    @property
    def model(self) -> str:
        """Names the vector space: the model, and the size where it is pinned."""
        return f"{self._model}@{self._pinned}" if self._pinned else self._model

    @property
    def dimensions(self) -> int:
        """Vector size; asks the server once when it is not known."""
        return self._size or int(self.embed(["size"]).vectors.shape[1])

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Float32 vectors, shape (texts, dimensions). Raises Snooze; Narrow when the server rejects the texts."""
        parts: list[Vectors] = []
        tokens = 0
        for batch in batches(texts):
            vectors, used = self._embed(batch)
            parts.append(vectors)
            tokens += used
        whole = np.concatenate(parts) if parts else np.empty((0, self._size or 0), dtype=np.float32)
        return Embedded(whole, len(parts), tokens)

    def close(self) -> None:
        """Close this process's connections."""
        self._client.close()

    def _embed(self, batch: list[str]) -> tuple[Vectors, int]:
        while True:
            body = self._body(batch)
            reply = self._client.post("/embeddings", body)
            if reply.status == 200:
                answer = decoded(reply, PROVIDER)
                return self._vectors(answer, len(batch)), _tokens(answer, batch)
            if not self._adapt(reply, body):
                raise failure_of(reply, PROVIDER)

    def _body(self, batch: list[str]) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self._model, "input": batch, "encoding_format": "base64"}
        if self._pinned:
            body["dimensions"] = self._pinned
        return {name: value for name, value in body.items() if name not in self._refused}

    def _adapt(self, reply: Reply, sent: dict[str, Any]) -> bool:
        """Leave out an optional parameter that the server refuses by name; the size is checked all the same."""
        error = read_error(reply)
        if error.status not in (400, 422):
            return False
        for name in ("encoding_format", "dimensions"):
            if name in sent and name in (error.param or error.message[:400]):
                self._refused |= {name}
                return True
        return False

    def _vectors(self, answer: dict[str, Any], count: int) -> Vectors:
        vectors = stacked(_rows(answer, count), count, self._size)
        self._size = vectors.shape[1]
        return vectors


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Requests within the provider's limits; an empty text becomes a single space, an overlong one is cut."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        shown = sendable(text)
        if batch and (len(batch) == MOST_INPUTS or chars + len(shown) > MOST_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(shown)
        chars += len(shown)
    if batch:
        yield batch


def _rows(answer: dict[str, Any], count: int) -> list[Vectors | None]:
    """One entry per text by its `index`; None where the answer has none or it cannot be read."""
    rows: list[Vectors | None] = [None] * count
    data = answer.get("data")
    items = data if isinstance(data, list) else []
    if len(items) != count:
        return []
    for place, item in enumerate(items):
        index = item.get("index", place) if isinstance(item, dict) else -1
        if isinstance(index, int) and 0 <= index < count:
            rows[index] = _row(item.get("embedding"))
    return rows


def _row(value: Any) -> Vectors | None:
    try:
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4")
        row = np.asarray(value, dtype=np.float32)
    except (binascii.Error, ValueError, TypeError):
        return None
    return row if row.ndim == 1 else None


def _tokens(answer: dict[str, Any], batch: list[str]) -> int:
    usage = answer.get("usage")
    reported = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return reported if isinstance(reported, int) and reported >= 0 else -(-sum(map(len, batch)) // 4)
