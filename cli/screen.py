"""What `flumes up` shows: calm, complete, nothing that scrolls."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from shared.settings import Settings

_WIDTH = 12


class Screen:
    """Writes to the terminal, or plain lines where there is none."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._since = time.monotonic()

    def starting(self, data_dir: Path, names: Sequence[str]) -> None:
        """Before anything runs."""
        self._console.print(Text("Flumes", style="bold"), "is starting:", ", ".join([*names, "api", "worker"]))
        self.row("data", str(data_dir))

    def serving(self, address: str, key: str | None, settings: Settings, logs: Path) -> None:
        """Everything is ready."""
        self._console.print(f"ready after {time.monotonic() - self._since:.1f} s\n", style="green")
        self.row("address", address)
        self.row("API key", _key(key, settings))
        self.row("extractor", extractor(settings))
        self.row("search", embeddings(settings))
        self.row("logs", f"{logs}/*.log")
        self._console.print("\nCtrl-C stops everything; what was accepted is kept.", style="dim")

    def row(self, name: str, value: str) -> None:
        """One labelled line; the value is never broken or interpreted."""
        self._console.print(Text(f"  {name:<{_WIDTH}}", style="cyan"), Text(value), sep="")

    def note(self, text: str) -> None:
        """Something happened meanwhile."""
        self._console.print(Text(f"{time.strftime('%H:%M:%S')}  {text}", style="yellow"))

    def stopping(self) -> None:
        """The first Ctrl-C."""
        self._console.print("\nstopping; running work is finished first (Ctrl-C again: at once)", style="dim")

    def stopped(self) -> None:
        """The last line."""
        self._console.print("stopped", style="dim")


def extractor(settings: Settings) -> str:
    """Which extractor works and why."""
    if settings.extractor_name == "rules":
        why = "FLUMES_EXTRACTOR=rules" if settings.extractor == "rules" else "no OPENAI_API_KEY set"
        return f"rules: {why}, so memories are made by fixed rules, without a model"
    return f"openai: {settings.llm_model} at {settings.openai_base_url or 'api.openai.com'}"


def embeddings(settings: Settings) -> str:
    """What search stands on."""
    if settings.embeddings_name == "none":
        return "BM25 (words); with an embedding model also by meaning"
    return f"BM25 and {settings.embeddings_model}"


def _key(key: str | None, settings: Settings) -> str:
    if settings.insecure_dev:
        return "none needed (FLUMES_INSECURE_DEV)"
    return key or "the first one was revoked or has expired; `flumes keys create` makes another"
