"""The in-process embedder on a tiny ONNX model made here; needs the optional extra."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.embeddings.fastembed_embedder import FastembedEmbedder

pytest.importorskip("fastembed", reason="optional extra")

WORDS = ["[PAD]", "[UNK]", "tea", "coffee", "rome", "i", "like"]
SIZE = 8
FLOAT, INT64 = 1, 7  # ONNX's numbers for element types


def part(number: int, value: bytes | str | int) -> bytes:
    """One protobuf field: a number as varint, anything else with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(value: int) -> bytes:
    """Seven bits a byte, lowest first."""
    more = value >> 7
    return bytes([value & 127 | 128]) + varint(more) if more else bytes([value])


def lookup_model(table: NDArray[np.float32]) -> bytes:
    """An ONNX model with the one node last_hidden_state = Gather(table, input_ids)."""
    node = part(1, "table") + part(1, "input_ids") + part(2, "last_hidden_state") + part(4, "Gather")
    rows, size = table.shape
    tensor = part(1, rows) + part(1, size) + part(2, FLOAT) + part(8, "table") + part(9, table.tobytes())
    free, fixed = [part(1, part(2, name)) for name in ("batch", "words")], part(1, part(1, size))
    ids = part(1, "input_ids") + part(2, part(1, part(1, INT64) + part(2, b"".join(free))))
    out = part(1, "last_hidden_state") + part(2, part(1, part(1, FLOAT) + part(2, b"".join((*free, fixed)))))
    graph = part(1, node) + part(2, "tiny") + part(5, tensor) + part(11, ids) + part(12, out)
    return part(1, 8) + part(7, graph) + part(8, part(2, 17))


def make_model(folder: Path, seed: int = 1) -> None:
    """A model that looks each word up in a random table; fastembed takes the mean over the words."""
    table = np.random.default_rng(seed).normal(size=(len(WORDS), SIZE)).astype(np.float32)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(lookup_model(table))
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = {
        "version": "1.0",
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
        "added_tokens": [],
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 32, "pad_token": "[PAD]"}', encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0, "seed": seed}), encoding="utf-8")


def test_a_local_model_embeds_without_a_network(tmp_path: Path) -> None:
    """Unit vectors of the model's size, near where words are shared."""
    make_model(tmp_path / "tiny")
    embedder = FastembedEmbedder(str(tmp_path / "tiny"))
    found = embedder.embed(["I like tea", "like tea", "Rome"])
    assert found.vectors.shape == (3, SIZE)
    assert found.vectors.dtype == np.float32
    assert (embedder.dimensions, found.calls) == (SIZE, 1)
    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert found.vectors[0] @ found.vectors[1] > found.vectors[0] @ found.vectors[2]


def test_the_name_tells_vector_spaces_apart(tmp_path: Path) -> None:
    """The same model elsewhere has the same name, another model in a folder of that name has not."""
    make_model(tmp_path / "a" / "tiny")
    make_model(tmp_path / "b" / "tiny")
    make_model(tmp_path / "c" / "tiny", seed=2)
    first, same, other = (FastembedEmbedder(str(tmp_path / name / "tiny")) for name in "abc")
    assert first.model == same.model
    assert first.model.startswith("fastembed:tiny-")
    assert first.model != other.model
    assert not np.allclose(first.embed(["tea"]).vectors, other.embed(["tea"]).vectors)


@pytest.mark.parametrize("model", ["text-embedding-3-small", "/nowhere/model", "./missing"])
def test_a_model_that_cannot_be_is_refused_at_once(model: str) -> None:
    """A typing error shows at the start, not in every window."""
    with pytest.raises(ValueError, match="FLUMES_EMBEDDINGS_MODEL"):
        FastembedEmbedder(model)


def test_a_folder_without_a_model_is_refused_at_once(tmp_path: Path) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match=r"no \.onnx file"):
        FastembedEmbedder(str(tmp_path))
