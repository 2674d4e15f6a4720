"""Figures that add up over runs, and the one table at the end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.campaign import Result
from tests.chaos.recovery import percentile

_FAULTS = ("lost", "doubled", "inverted", "silent", "failed", "stuck", "index_faults")

_SECONDS = (("seconds", "seconds"), ("  of faults", "attacked"))
_SHARES = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))


def figures(result: Result) -> dict[str, Any]:
    """A run as plain values."""
    verdict = result.verdict
    return {
        "runs": 1,
        "clean_runs": int(result.clean),
        "seconds": round(result.seconds, 1),
        "seeds": [[result.seed, result.kills.total(), verdict.adds, "clean" if result.clean else "broken"]],
        "attacked": round(result.attacked, 1),
        "kills": dict(result.kills),
        "together": dict(result.together),
        "other_faults": dict(result.others),
        "adds": verdict.adds,
        "facts": verdict.facts,
        "edits": verdict.edits,
        **{name: getattr(verdict, name) for name in _FAULTS},
        "never_recovered": result.never_recovered,
        "unanswered_requests": result.unanswered,
        "answers": dict(sorted(result.statuses.items())),
        "recovery": [round(seconds, 3) for seconds in result.recovery],
        "outages": [round(seconds, 3) for seconds in result.outages],
    }


def add(total: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """Sums; lists are joined."""
    merged = dict(total)
    for name, value in one.items():
        if isinstance(value, dict):
            merged[name] = dict(Counter(total.get(name, {})) + Counter(value))
        else:
            merged[name] = total.get(name, type(value)()) + value
    return merged


def load(path: Path) -> dict[str, Any]:
    """What earlier runs left; empty at first."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def save(path: Path, total: dict[str, Any]) -> None:
    """Whole or not at all."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(total, indent=1, sort_keys=True), encoding="utf-8")
    partial.replace(path)


def table(one: dict[str, Any], total: dict[str, Any]) -> str:
    """This run beside all runs."""
    rows = [("", "this run", "all runs")]
    rows += [(name, str(one[name]), str(total[name])) for name in ("runs", "clean_runs")]
    rows += [(label, f"{one[name]:.0f}", f"{total[name]:.0f}") for label, name in _SECONDS]
    rows.append(("kills", str(_sum(one, "kills")), str(_sum(total, "kills"))))
    rows.append(("  a minute", f"{_rate(one):.1f}", f"{_rate(total):.1f}"))
    rows += _by_name("kills", one, total) + _by_name("together", one, total)
    rows.append(("other faults", str(_sum(one, "other_faults")), str(_sum(total, "other_faults"))))
    rows += _by_name("other_faults", one, total)
    rows += [(name, str(one[name]), str(total[name])) for name in ("adds", "facts", "edits", *_FAULTS)]
    rows.append(("never recovered", str(one["never_recovered"]), str(total["never_recovered"])))
    for label, name in (("recovery, one worker dead", "recovery"), ("recovery, others dead too", "outages")):
        rows.append((label, str(len(one[name])), str(len(total[name]))))
        rows += [(f"  {what} s", _at(one[name], share), _at(total[name], share)) for what, share in _SHARES]
    rows.append(("requests unanswered", str(one["unanswered_requests"]), str(total["unanswered_requests"])))
    rows += _by_name("answers", one, total)
    return "\n".join(f"{name:<36}{this:>12}{every:>12}" for name, this, every in rows)


def _rate(values: dict[str, Any]) -> float:
    return _sum(values, "kills") * 60 / max(float(values["attacked"]), 1.0)


def _at(seconds: list[float], share: float) -> str:
    return f"{percentile(seconds, share):.2f}"


def _sum(values: dict[str, Any], name: str) -> int:
    counts: dict[str, int] = values[name]
    return sum(counts.values())


def _by_name(name: str, one: dict[str, Any], total: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(f"  {key}", str(one[name].get(key, 0)), str(count)) for key, count in sorted(total[name].items())]
