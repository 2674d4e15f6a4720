"""Embeddings computed in this process by fastembed (optional extra); the model loads on first use."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson

from shared.embeddings.port import Embedded
from shared.embeddings.rows import PROVIDER, sendable, stacked
from shared.errors import Snooze

if TYPE_CHECKING:
    from fastembed import TextEmbedding

BATCH = 32
_REGISTRY = threading.Lock()  # fastembed keeps custom models in one list of the process


class FastembedEmbedder:
    """`model`: a folder with tokenizer and ONNX file, or a name that fastembed knows and downloads. Thread-safe."""

    def __init__(self, model: str) -> None:
        """Raises ValueError when the extra is not installed or there is no such model."""
        if importlib.util.find_spec("fastembed") is None:
            raise ValueError("FLUMES_EMBEDDINGS=fastembed needs the extra: pip install 'flumes[fastembed]'")
        folder = Path(model)
        if not folder.is_dir() and (folder.is_absolute() or model.startswith((".", "~", "text-embedding-"))):
            raise ValueError("FLUMES_EMBEDDINGS_MODEL: neither a folder nor a name that fastembed knows")
        self._folder = folder if folder.is_dir() else None
        self._file = _model_file(folder) if self._folder else None
        self._name = _space_of(folder, self._file) if self._file else model
        self._size: int | None = None
        self._loading = threading.Lock()
        self._loaded: TextEmbedding | None = None

    @property
    def model(self) -> str:
        """The vector space; of a folder its name and a digest, so that another model there is another space."""
        return f"fastembed:{self._name}"

    @property
    def dimensions(self) -> int:
        """Vector size; loads the model when it was not used yet."""
        return self._size or int(self.embed(["size"]).vectors.shape[1])

    def close(self) -> None:
        """Nothing is open: the model lives in this process."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Float32 vectors, shape (texts, dimensions). Raises Snooze when the model cannot be loaded."""
        if not texts:
            return Embedded(np.empty((0, self._size or 0), dtype=np.float32), 0, 0)
        model = self._model()
        shown = [sendable(text) for text in texts]
        rows = [np.asarray(row, dtype=np.float32) for row in model.embed(shown, batch_size=BATCH)]
        vectors = stacked(rows, len(texts), self._size)
        self._size = vectors.shape[1]
        return Embedded(vectors, 1, -(-sum(map(len, shown)) // 4))

    def _model(self) -> TextEmbedding:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> TextEmbedding:
        from fastembed import TextEmbedding  # noqa: PLC0415 - heavy and optional

        failure: Snooze | None = None
        try:
            if self._folder is None or self._file is None:
                return TextEmbedding(self._name)
            _register(self._name, self._folder, self._file)
            return TextEmbedding(self._name, specific_model_path=str(self._folder), local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            detail = f"the embedding model could not be loaded ({type(error).__name__})"
            failure = Snooze(detail, code="embeddings_unavailable", provider=PROVIDER)
        raise failure


def _model_file(folder: Path) -> Path:
    found = sorted(folder.rglob("*.onnx"), key=lambda path: (path.name != "model.onnx", str(path)))
    if not found:
        raise ValueError(f"FLUMES_EMBEDDINGS_MODEL: no .onnx file in {folder}")
    return found[0]


def _space_of(folder: Path, file: Path) -> str:
    digest = hashlib.sha256(str(file.stat().st_size).encode())
    for name in ("config.json", "tokenizer.json"):
        path = folder / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return f"{folder.resolve().name}-{digest.hexdigest()[:8]}"


def _register(name: str, folder: Path, file: Path) -> None:
    """Make a local folder known to fastembed, once per process."""
    from fastembed import TextEmbedding  # noqa: PLC0415 - heavy and optional
    from fastembed.common.model_description import ModelSource, PoolingType  # noqa: PLC0415 - same

    pooling = PoolingType.CLS if _first_token(folder) else PoolingType.MEAN
    with _REGISTRY:
        if any(known["model"] == name for known in TextEmbedding.list_supported_models()):
            return
        TextEmbedding.add_custom_model(
            model=name,
            pooling=pooling,
            normalization=True,
            sources=ModelSource(url=folder.resolve().as_uri()),
            dim=0,  # unknown before the first vector; fastembed does not use it
            model_file=str(file.relative_to(folder)),
        )


def _first_token(folder: Path) -> bool:
    """Whether the model's own card says that the first token stands for the sentence (else the mean does)."""
    card = folder / "1_Pooling" / "config.json"
    return bool(card.exists() and orjson.loads(card.read_bytes()).get("pooling_mode_cls_token"))
