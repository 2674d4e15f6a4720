"""What the pipeline and search need from an embedding model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embedded:
    """`vectors`: float32, shape (texts, dimensions), rows in the order of the texts."""

    vectors: NDArray[np.float32]
    calls: int
    tokens: int


class Embedder(Protocol):
    """A dense model. Raises `shared.errors.Snooze` when away, over its limits or answering with something unusable
    (`embeddings_invalid`), `Narrow` when it rejects the texts.
    """

    @property
    def model(self) -> str:
        """Name that identifies the vector space, e.g. `text-embedding-3-small`."""

    @property
    def dimensions(self) -> int:
        """Vector size; may cost one call when the model was never asked."""

    def close(self) -> None:
        """Close its connections, if it has any."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Vectors of 1-2,048 texts; an empty text is embedded as a single space."""
