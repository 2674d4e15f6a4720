"""What an import would come to, without asking anybody: messages, windows, calls, tokens, cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from cli.importing.files import LogFile
from shared.importing.errors import BadLine
from shared.importing.groups import Format, groups
from shared.model.message import tokens
from shared.model.scope import ID_FIELDS
from shared.settings import Settings

# Of a request beside the messages: prompt and schema, and what is known already (docs/quality.md: thirty at most).
_FIXED_TOKENS = 1_950
_KNOWN_TOKENS = 750
_FRAME_TOKENS = 12  # a message's number, time and speaker
_OUTPUT_TOKENS = 40  # for each message: half a record of eighty


@dataclass(slots=True)
class Estimate:
    """Sums over all files. `windows` are full ones; pauses and new operator rules cut some more."""

    lines: int = 0
    messages: int = 0
    tokens: int = 0
    scopes: int = 0
    windows: int = 0
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def input_tokens(self) -> int:
        return self.windows * (_FIXED_TOKENS + _KNOWN_TOKENS) + self.tokens + self.messages * _FRAME_TOKENS

    @property
    def output_tokens(self) -> int:
        return self.messages * _OUTPUT_TOKENS

    def cost(self, settings: Settings) -> float | None:
        """USD; None without prices."""
        prices = (settings.price_input, settings.price_output)
        if not any(prices):
            return None
        return (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / 1_000_000

    def as_dict(self, settings: Settings) -> dict[str, Any]:
        return {
            "lines": self.lines, "rejected": len(self.faults), "messages": self.messages, "scopes": self.scopes,
            "windows": self.windows, "calls": self.windows, "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens, "cost": self.cost(settings), "faults": self.faults[:100],
        }  # fmt: skip


class Counting:
    """Fills windows scope by scope, as the workers would under backlog."""

    def __init__(self, settings: Settings, form: Format, defaults: dict[str, Any]) -> None:
        self.total = Estimate()
        self._settings = settings
        self._form = form
        self._defaults = defaults
        self._open: dict[tuple[Any, ...], tuple[int, int]] = {}

    def read(self, log: LogFile) -> None:
        """Count one file. Raises EmbeddedError when it cannot be read."""
        for item in log.items():
            self.total.lines += 1
            try:
                for body in groups(orjson.loads(item.raw), self._form, self._settings.max_messages):
                    self._count(body)
            except (BadLine, orjson.JSONDecodeError) as error:
                self.total.faults.append({"line": item.number, "reason": str(error)})
        self.total.scopes = len(self._open)

    def _count(self, body: dict[str, Any]) -> None:
        scope = tuple(body.get(name) or self._defaults.get(name) for name in ID_FIELDS)
        if not any(scope):
            scope = (body.get("conversation"),)
        if not any(scope):
            raise BadLine("no id: give --user-id, --agent-id, --app-id or --run-id")
        for message in body["messages"]:
            self._message(scope, tokens(str(message["content"])))

    def _message(self, scope: tuple[Any, ...], size: int) -> None:
        count, used = self._open.get(scope, (0, 0))
        limits = self._settings
        full = count + 1 > limits.backlog_window_messages or used + size > limits.backlog_window_tokens
        if not count or full:
            self.total.windows += 1
            count, used = 0, 0
        self._open[scope] = (count + 1, used + size)
        self.total.messages += 1
        self.total.tokens += size
