"""The script of the fake server: which request meets which action, what is logged, who hangs.

A rule = {match, regex?, kind?, times?, action, ...action's own fields}. The first rule that matches and has turns left
wins; without one the default answer is given.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["chat", "embeddings"]


@dataclass(slots=True)
class Rule:
    """`times` None = for ever; `match` is a substring of the last user message (or the joined inputs), or a regex."""

    match: str = ""
    action: str = "default"
    regex: bool = False
    kind: str = "chat"  # chat | embeddings | any
    times: int | None = 1
    fields: Json = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: Json) -> Rule:
        own = {key: raw[key] for key in ("match", "action", "regex", "kind", "times") if key in raw}
        return cls(**own, fields={key: value for key, value in raw.items() if key not in own})

    def meets(self, kind: Kind, text: str) -> bool:
        if self.times == 0 or self.kind not in (kind, "any"):
            return False
        return bool(re.search(self.match, text, re.DOTALL)) if self.regex else self.match in text


@dataclass(slots=True)
class Options:
    """How the server is, as against what it does to single requests."""

    chat_seconds: float = 0.0
    chat_jitter: float = 0.0  # up to so many seconds more, at random
    embeddings_seconds: float = 0.0
    dimensions: int = 256
    supports: list[str] = field(default_factory=lambda: ["json_schema", "json_object", "tools"])  # others: 400
    ignores: list[str] = field(default_factory=list)  # accepted with 200, answered in prose
    refuses: list[str] = field(default_factory=list)  # request parameters answered with 400
    facts: list[Json] = field(default_factory=list)  # [{match, records}] for the default answer
    concepts: bool = False  # embeddings from a small thesaurus instead of words alone
    log_text: bool = True
    log_bodies: bool = False  # whole requests, for replaying them


class Script:
    """All state of a fake server; touched from its event loop only."""

    def __init__(self) -> None:
        self.options = Options()
        self.rules: list[Rule] = []
        self.log: deque[Json] = deque(maxlen=500_000)
        self.in_flight = 0
        self.peak = 0
        self.hanging: list[asyncio.Event] = []
        self._first_options = Options()

    def reset(self) -> None:
        """Forget rules and log, let go what hangs, back to the options given at start."""
        self.release()
        self.rules.clear()
        self.log.clear()
        self.peak = 0
        self.options = Options(**{name: getattr(self._first_options, name) for name in Options.__slots__})
        self.options.facts = []

    def start_with(self, options: Options) -> None:
        """The options that stand now and after every reset."""
        self.options = options
        self._first_options = replace(options)  # a copy: what is set later must not change what a reset restores

    def add(self, rules: list[Json], *, replace: bool = False) -> None:
        if replace:
            self.rules.clear()
        self.rules += [Rule.parse(raw) for raw in rules]

    def set(self, changes: Json) -> None:
        for name, value in changes.items():
            if name not in Options.__slots__:
                raise KeyError(name)
            setattr(self.options, name, value)

    def take(self, kind: Kind, text: str) -> Rule | None:
        """The rule for a request, one turn of it used up."""
        for rule in self.rules:
            if rule.meets(kind, text):
                if rule.times is not None:
                    rule.times -= 1
                return rule
        return None

    def entry(self, kind: Kind, body: Json, text: str, tokens: int) -> Json:
        """A log line for a request that has just come in."""
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        line: Json = {
            "n": len(self.log),
            "time": time.time(),
            "kind": kind,
            "model": body.get("model"),
            "tokens": tokens,
            "in_flight": self.in_flight,
            "status": None,
            "seconds": None,
            "action": None,
            "params": sorted(key for key in body if key not in ("messages", "input")),
        }
        if kind == "chat":
            line["rung"] = rung_of(body)
        else:
            line["inputs"] = len(body["input"]) if isinstance(body.get("input"), list) else 1
        line["text"] = text if self.options.log_text else None
        if self.options.log_bodies:
            line["body"] = body
        self.log.append(line)
        return line

    async def hang(self) -> None:
        """Until released, or the caller goes away."""
        event = asyncio.Event()
        self.hanging.append(event)
        try:
            await event.wait()
        finally:
            if event in self.hanging:
                self.hanging.remove(event)

    def release(self) -> int:
        count = len(self.hanging)
        for event in self.hanging:
            event.set()
        self.hanging.clear()
        return count


def rung_of(body: Json) -> str:
    """How a chat request asks for structure: json_schema, json_object, tools or none."""
    if body.get("tools"):
        return "tools"
    kind = (body.get("response_format") or {}).get("type")
    return str(kind) if kind in ("json_schema", "json_object") else "none"
