"""Which embedding model the settings ask for."""

from __future__ import annotations

from pydantic import SecretStr

from shared.embeddings.port import Embedder
from shared.settings import Settings


def make_embedder(settings: Settings) -> Embedder | None:
    """The embedder, or None for BM25 only. Opens no connection and loads no model yet."""
    if settings.embeddings_name == "openai":
        from shared.embeddings.openai_embedder import OpenAIEmbedder  # noqa: PLC0415 - half a second and 40 MB

        return OpenAIEmbedder(
            settings.embeddings_model,
            base_url=settings.embeddings_base_url or settings.openai_base_url,
            api_key=_secret(settings.embeddings_api_key or settings.openai_api_key),
            dimensions=settings.embeddings_dimensions,
            timeout=settings.embeddings_timeout,
        )
    if settings.embeddings_name == "fastembed":
        from shared.embeddings.fastembed_embedder import FastembedEmbedder  # noqa: PLC0415 - an optional extra

        return FastembedEmbedder(settings.embeddings_model)
    return None


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
