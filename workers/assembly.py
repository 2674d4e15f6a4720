"""Makes a worker's parts from the settings: the only place that decides which extractor works."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.db import capabilities, index_collections, tenancy
from shared.db.engine import Database
from shared.db.index_collections import BM25_ONLY
from shared.embeddings.factory import make_embedder
from shared.embeddings.port import Embedder
from shared.errors import ServiceError
from shared.llm.capability import Capability
from shared.llm.chat import ChatModel, make_chat, provider_name
from shared.logs import get_logger
from shared.model.message import Window
from shared.model.record import Candidate, Extraction
from shared.settings import Settings
from shared.vectors.index import VectorIndex
from shared.vectors.layout import collection_name
from shared.wakeups import Waker
from workers.llm_extractor import LLMExtractor
from workers.parts import Extract, FaultsOf, Parts
from workers.rules import extractor as rules_extractor

_log = get_logger(__name__)


def make_parts(settings: Settings, database: Database, background: ThreadPoolExecutor, owner: str) -> Parts:
    """Connects lazily: nothing here needs Qdrant, Redis or the model to be up."""
    embedder = make_embedder(settings)
    _register_collection(database, embedder)
    chat = make_chat(settings) if settings.extractor_name == "openai" else None
    extract, provider = _extractor(settings, chat, database, background)
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    return Parts(
        settings=settings,
        db=database,
        index=VectorIndex(settings.qdrant_url, key),
        embedder=embedder,
        extract=extract,
        waker=Waker(settings.redis_url),
        owner=owner,
        background=background,
        provider=provider,
        hang_up=chat.close if chat else bool,
    )


@tenancy.across(tenancy.Role.INDEX)
def _register_collection(database: Database, embedder: Embedder | None) -> None:
    model = embedder.model if embedder else BM25_ONLY
    name = collection_name(embedder.model if embedder else None, 1)
    database.run(lambda session: index_collections.ensure(session, model, name))


def _extractor(
    settings: Settings, chat: ChatModel | None, database: Database, background: ThreadPoolExecutor
) -> tuple[Extract, str | None]:
    """The extractor and the breaker's name for its provider; said aloud, because `rules` finds less than a model."""
    if chat is None:
        chosen = settings.extractor == "rules"
        _log.warning("extractor_rules", why="chosen" if chosen else "neither OPENAI_API_KEY nor OPENAI_BASE_URL is set")
        return _rules, None
    extractor = LLMExtractor(chat, seconds=settings.attempt_deadline - 3)
    background.submit(_adopt_capability, database, chat, extractor)
    _log.info("extractor_openai", model=settings.llm_model)

    def extract(window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:
        return extractor.extract(window, candidates, faults_of)

    return extract, provider_name(settings)


def _rules(window: Window, candidates: Sequence[Candidate], faults_of: FaultsOf) -> Extraction:  # noqa: ARG001
    """The key-free extractor; its records are checked like any other, but nobody can be asked again."""
    return rules_extractor.extract(window, candidates)


def _adopt_capability(database: Database, chat: ChatModel, extractor: LLMExtractor) -> None:
    """What the server understands, from an earlier probe or a new one. Runs beside the boot and never stops it."""
    key = chat.capability.endpoint
    try:
        known = database.run(lambda session: capabilities.get(session, key))
        capability = Capability.from_dict(known) if known else None
        if capability is not None and capability.proven and chat.adopt(capability):
            return
        found = extractor.probe()
        database.run(lambda session: capabilities.keep(session, key, found.as_dict()))
        _log.info("model_probed", rung=found.rung, proven=found.proven, problem=found.problem)
    except ServiceError as error:
        _log.warning("model_not_probed", code=error.code)
