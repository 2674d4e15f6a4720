"""BM25 vectors, made by Qdrant's own embedder in both deployments, so that no text leaves the process.

Tokens: multilingual segmentation (Chinese and Japanese words, accents folded), lower case, English stop words and
stems. The inverse document frequency is the server's part (sparse vector with the IDF modifier).
"""

from __future__ import annotations

import re

from qdrant_client.models import SparseVector
from qdrant_edge import Bm25, Bm25Config, TokenizerType

AVERAGE_TOKENS = (
    16.0  # of a message with the question it answers; a statement has half of it, documents (the default) 256
)
_K, _B = 1.2, 0.75

# The tokenizer drops numbers that stand alone: years, ages, prices, house numbers. With a letter in front they stay.
_BARE_NUMBER = re.compile(r"(?<![A-Za-z0-9_])(\d+)(?![A-Za-z0-9_])")

_embedder = Bm25(Bm25Config(k=_K, b=_B, avg_len=AVERAGE_TOKENS, tokenizer=TokenizerType.Multilingual))


def document_vector(text: str) -> SparseVector:
    """Weights of the text's tokens; empty when it has none but stop words."""
    vector = _embedder.embed_document(_keep_numbers(text))
    return SparseVector(indices=vector.indices, values=vector.values)


def query_vector(text: str) -> SparseVector | None:
    """1 for each distinct token, None when the text has none but stop words."""
    vector = _embedder.embed_query(_keep_numbers(text))
    return SparseVector(indices=vector.indices, values=vector.values) if vector.indices else None


def _keep_numbers(text: str) -> str:
    return _BARE_NUMBER.sub(r"n\1", text)
