"""Every setting of the service, read once from `FLUMES_*` (plus `OPENAI_API_KEY`, `OPENAI_BASE_URL`), checked, frozen.

A secret may come from a file: `FLUMES_X_FILE` names it. `docs/settings.md` documents each field; a test compares both.
"""

from __future__ import annotations

import os
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


def env_names(name: str, field: FieldInfo) -> list[str]:
    """The variables that set the field `name`, the strongest first."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [f"FLUMES_{name.upper()}"]


class FileSecrets(PydanticBaseSettingsSource):
    """`FLUMES_NAME_FILE=/path` stands for the content of that file, stripped."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        names = env_names(field_name, field)
        path = next((os.environ[f"{name}_FILE"] for name in names if os.environ.get(f"{name}_FILE")), None)
        key = field_name if field.validation_alias is None else names[0]
        return Path(path).read_text(encoding="utf-8").strip() if path else None, key, False

    def __call__(self) -> dict[str, Any]:
        found = [self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items()]
        return {key: value for value, key, _ in found if value is not None}


class Settings(BaseSettings):
    """One process's settings; seconds, bytes and counts unless a field says otherwise."""

    model_config = SettingsConfigDict(env_prefix="FLUMES_", frozen=True, extra="ignore", env_ignore_empty=True)

    # --- where things are
    database_url: str = Field("", description="PostgreSQL >= 15, `postgresql://user:password@host/db`")
    owner_database_url: str = Field(
        "",
        description="the same database as the role that owns the tables, for `flumes` commands alone: `migrate` makes"
        " the role that `FLUMES_DATABASE_URL` names; empty: one role does both",
    )
    redis_url: str = Field(
        "", description="Redis >= 7 or Valkey; broker of the bells and wake-ups, holds nothing that matters"
    )
    qdrant_url: str = Field("", description="Qdrant's REST address")
    qdrant_api_key: SecretStr | None = Field(None, description="Qdrant's API key")
    data_dir: Path = Field(Path(".flumes"), description="where `flumes up` keeps the embedded parts' data")
    system_home: Path = Field(
        Path("/var/lib/flumes"),
        description="as root: where Postgres keeps its data when `nobody` cannot reach `data_dir`",
    )
    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=0, le=65535, description="port the API listens on")
    public_url: str = Field("", description="base of `Location` headers; empty: relative to the request")

    # --- who may call
    key_pepper: SecretStr = Field(SecretStr(""), description="HMAC pepper of API keys; required outside `flumes up`")
    insecure_dev: bool = Field(False, description="allow the API without keys; only on 127.0.0.1")
    bad_keys_per_minute: int = Field(
        60, ge=0, description="unknown keys from one address, or for one key, before they get 429; 0: no limit"
    )
    trusted_proxies: str = Field(
        "", description="addresses or networks, comma-separated, whose `X-Forwarded-For` is believed"
    )

    # --- the model
    extractor: Literal["auto", "openai", "rules"] = Field(
        "auto", description="`auto`: openai with a key or base URL, else rules"
    )
    openai_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("FLUMES_OPENAI_API_KEY", "OPENAI_API_KEY"),
        description="key of the chat model",
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("FLUMES_OPENAI_BASE_URL", "OPENAI_BASE_URL"),
        description="any compatible server",
    )
    llm_model: str = Field("gpt-5.4-mini", description="chat model that extracts")
    llm_timeout: float = Field(60, gt=0, description="seconds for one chat call, from connect to last byte")
    llm_max_output_tokens: int = Field(4000, ge=256, description="`max_completion_tokens` of a chat call")
    embeddings: Literal["auto", "openai", "fastembed", "none"] = Field(
        "auto", description="`auto`: openai when the chat model is openai, else none (BM25 only)"
    )
    embeddings_base_url: str | None = Field(None, description="defaults to the chat model's")
    embeddings_api_key: SecretStr | None = Field(None, description="defaults to the chat model's")
    embeddings_model: str = Field("text-embedding-3-small", description="embedding model; a local folder for fastembed")
    embeddings_dimensions: int | None = Field(None, ge=1, description="pin the vector size; None: the model's own")
    embeddings_timeout: float = Field(15, gt=0, description="seconds for one embedding call")

    # --- accepting and waiting
    wait_budget: float = Field(8, ge=0, le=60, description="seconds a POST waits by default before it answers 202")
    wait_cap: float = Field(60, ge=0, le=300, description="largest `Prefer: wait=N` and `?wait=N` honoured")
    mem0_async: bool = Field(True, description="mem0's v1 add answers PENDING unless the body says `async_mode: false`")
    max_body_bytes: int = Field(2_000_000, ge=1_000, description="larger request bodies get 413")
    max_messages: int = Field(500, ge=1, description="messages in one POST")
    max_message_chars: int = Field(100_000, ge=1, description="characters in one message")
    max_metadata_bytes: int = Field(16_384, ge=0, description="metadata as JSON")
    backlog_messages: int = Field(200_000, ge=1, description="pending messages in all before POST answers 429")
    backlog_messages_per_project: int = Field(100_000, ge=1, description="pending messages of one project before 429")
    backlog_bytes: int = Field(1_000_000_000, ge=1, description="pending message bytes in all before 429")
    backlog_age: float = Field(86_400, gt=0, description="seconds the oldest due live event may wait before 429")
    idempotency_days: int = Field(7, ge=1, description="days an Idempotency-Key is remembered")

    # --- working
    slots: int = Field(32, ge=1, le=512, description="windows one worker works on at a time")
    tenant_cap: int = Field(24, ge=1, description="windows of one project in work at a time, over all workers")
    lease: float = Field(30, ge=1, description="seconds a claimed scope stays claimed without a heartbeat")
    attempt_deadline: float = Field(75, ge=1, description="seconds after which an attempt's lease is no longer renewed")
    poll: float = Field(1, gt=0, description="seconds between looks at Postgres for due work, jittered")
    grace: float = Field(
        25, ge=0, description="seconds SIGTERM leaves running windows before their leases are released"
    )
    max_age: float = Field(
        72 * 3600, gt=0, description="seconds an event may fail in a row before its next failure ends it as `expired`"
    )
    max_attempts: int = Field(
        5, ge=1, description="attempts after unexpected errors before an event fails as `internal`"
    )
    window_messages: int = Field(16, ge=1, description="messages in a window")
    window_tokens: int = Field(1_500, ge=50, description="tokens (characters/4) in a window")
    backlog_window_messages: int = Field(40, ge=1, description="messages in a window under backlog")
    backlog_window_tokens: int = Field(3_000, ge=50, description="tokens in a window under backlog")
    price_input: float = Field(0, ge=0, description="USD for a million prompt tokens, for estimates; 0 = unknown")
    price_output: float = Field(0, ge=0, description="USD for a million completion tokens, for estimates")
    import_in_work: int = Field(2_000, ge=1, description="messages of one import handed to the workers at a time")
    import_line_bytes: int = Field(16_000_000, ge=1_000, description="longest line of an import")
    earlier_messages: int = Field(6, ge=0, description="messages before the window shown for references")
    candidates: int = Field(30, ge=0, le=100, description="known memories shown to the extractor")
    records_cap: int = Field(
        50, ge=1, description="new memories kept of a window of `window_messages`; larger windows: in proportion"
    )
    tokens_per_day: int = Field(
        0, ge=0, description="tokens a project may spend in a UTC day unless it has its own ceiling; 0: no ceiling"
    )
    tokens_per_month: int = Field(0, ge=0, description="the same for a UTC month")
    worker_pool: int = Field(8, ge=2, description="database connections of a worker")
    api_pool: int = Field(10, ge=2, description="database connections of an API process")

    # --- search
    search_kappa: float = Field(4.0, gt=0, description="BM25 score s counts as s/(s+kappa); measured by `make quality`")

    index_raw: bool = Field(
        True, description="keep messages searchable beside their statements (`include_raw=true`); projects may differ"
    )

    # --- webhooks
    webhooks: bool = Field(False, description="serve the webhook routes and deliver; needs `FLUMES_KEY_PEPPER`")
    webhook_http: bool = Field(False, description="allow `http://` addresses beside `https://`")
    webhook_allow: str = Field(
        "",
        description="networks (CIDR) and host names, with commas, that may be delivered to although they are private",
    )
    webhook_timeout: float = Field(15, gt=0, le=60, description="seconds for one attempt, from the name to the answer")
    webhook_disable_days: float = Field(
        5, ge=0, description="a delivery that failed for good disables a webhook that accepted nothing for so long"
    )
    webhook_keep_days: float = Field(30, gt=0, description="days a delivery is listed and can be replayed")

    # --- logs and tests
    worker_metrics_port: int = Field(0, ge=0, le=65535, description="port of a worker's `/metrics`; 0: none")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level logged")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto`: console on a terminal, else json"
    )
    chaos: bool = Field(False, description="honour named crash points; tests only")
    crash_at: str = Field(
        "", description="with `chaos`: the process kills itself at this point, `name` or `name:text in work`"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, FileSecrets(settings_cls)

    @model_validator(mode="after")
    def refuse_unsafe(self) -> Self:
        """Combinations that would break a promise are refused at start, by name."""
        if self.insecure_dev and self.host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("FLUMES_INSECURE_DEV works only with FLUMES_HOST=127.0.0.1")
        for part in filter(None, self.trusted_proxies.split(",")):
            try:
                ip_network(part.strip(), strict=False)
            except ValueError:
                raise ValueError(f"FLUMES_TRUSTED_PROXIES: {part.strip()} is no address or network") from None
        if self.attempt_deadline < self.llm_timeout:
            raise ValueError("FLUMES_ATTEMPT_DEADLINE must not be below FLUMES_LLM_TIMEOUT")
        if self.extractor == "openai" and not (self.openai_api_key or self.openai_base_url):
            raise ValueError("FLUMES_EXTRACTOR=openai needs OPENAI_API_KEY or OPENAI_BASE_URL")
        if self.embeddings == "openai" and not self._has_embedding_server():
            raise ValueError("FLUMES_EMBEDDINGS=openai needs a key or a base URL")
        return self

    def _has_embedding_server(self) -> bool:
        return any((self.openai_api_key, self.openai_base_url, self.embeddings_api_key, self.embeddings_base_url))

    @property
    def extractor_name(self) -> Literal["openai", "rules"]:
        """`auto` resolved."""
        if self.extractor != "auto":
            return self.extractor
        return "openai" if self.openai_api_key or self.openai_base_url else "rules"

    @property
    def embeddings_name(self) -> Literal["openai", "fastembed", "none"]:
        """`auto` resolved."""
        if self.embeddings != "auto":
            return self.embeddings
        if self.embeddings_base_url or self.embeddings_api_key:
            return "openai"
        return "openai" if self.extractor_name == "openai" else "none"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings; reading them twice gives the same object."""
    return Settings()
