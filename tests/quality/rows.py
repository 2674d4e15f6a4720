"""From measurements to rows of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.quality.candidates import BOUND, MOST, Recall
from tests.quality.decide import Outcome, counts
from tests.quality.evidence import BUDGET
from tests.quality.precision import Precision
from tests.quality.table import Row, at_least, percent

_T500 = f"recall_in_{BUDGET}_tokens"


def of_cases(outcomes: Sequence[Outcome], part: str) -> Iterator[Row]:
    """Pass counts by kind; the cases that fail, by name."""
    found = counts(outcomes)
    passed, total = (sum(pair[place] for pair in found.values()) for place in (0, 1))
    yield Row(part, "all kinds", f"{passed} of {total}")
    for kind, (right, every) in sorted(found.items()):
        yield Row(part, kind, f"{right} of {every}")
    for outcome in outcomes:
        if outcome.wrong:
            yield Row(part, f"  fails: {outcome.case.id}", outcome.wrong[:90])


def of_candidates(words: Recall, dense: Recall) -> Iterator[Row]:
    """Both figures; only the one with an embedder binds."""
    part = "candidate recall"
    yield Row(part, f"BM25 only, {words.pairs} pairs", _recall(words))
    yield Row(
        part, "dense + BM25 (scripted thesaurus)", _recall(dense), f">= {percent(BOUND)} at <= {MOST}",
        dense.found >= BOUND and dense.most <= MOST, binding=True,
    )  # fmt: skip


def _recall(found: Recall) -> str:
    apart = f"sharing a word {percent(found.sharing)}, none {percent(found.apart)}"
    return f"{percent(found.found)} ({apart}; {found.mean:.0f} shown, at most {found.most})"


def of_evidence(figures: Mapping[str, Any], *, search: str = "BM25") -> Iterator[Row]:
    """Stores by row, then what is asked of them."""
    part = f"evidence recall, {search}"
    for store, parts in figures.items():
        for name, figure in parts.items():
            yield Row(part, f"{store}, {name} ({figure['questions']} questions)", _evidence(figure))
    every = {store: parts["all"] for store, parts in figures.items()}
    if set(every) < {"raw", "statements", "union"}:
        return
    statements, union = every["statements"], every["union"]
    yield at_least(part, "statements R@10", statements["recall@10"], 0.68)
    yield at_least(part, f"statements in {BUDGET} tokens", statements[_T500], 0.75)
    yield at_least(part, "union R@10", union["recall@10"], 0.70, aim=True)
    yield at_least(part, f"union in {BUDGET} tokens", union[_T500], 0.74, aim=True)
    for name, key in (("R@10", "recall@10"), (f"in {BUDGET} tokens", _T500)):
        best = max(every["raw"][key], statements[key])
        yield Row(part, f"union above both parts, {name}", f"{union[key]:.3f}", f"> {best:.3f}", union[key] > best)


def _evidence(figure: Mapping[str, Any]) -> str:
    recall = " ".join(f"R@{k} {figure[f'recall@{k}']:.3f}" for k in (5, 10, 20))
    return f"{recall} MRR {figure['mrr']:.3f} t{BUDGET} {figure[_T500]:.3f} ({figure['tokens_of_10']} tokens in 10)"


def of_junk(name: str, counted: Mapping[str, Any]) -> Iterator[Row]:
    """Write hygiene of one body of messages."""
    part = f"junk, {name}"
    yield Row(part, f"records a message ({counted['messages']} messages)", f"{counted['per_message']:.2f}")
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(counted["rejected"].items())) or "none"
    yield Row(part, "rejected, by reason", reasons)
    yield Row(part, "exact duplicates", str(counted["exact_duplicates"]), "0", counted["exact_duplicates"] == 0, True)
    yield Row(part, "near duplicates (>= 80 % of words)", str(counted["near_duplicates"]))


def of_precision(found: Precision) -> Iterator[Row]:
    """What the rules keep of labelled sentences."""
    part, shares = "precision of rules", found.as_dict()
    total, sentences = sum(found.records.values()), sum(found.sentences.values())
    by_label = ", ".join(f"{number} {label}" for label, number in found.records.items())
    yield Row(part, f"records ({sentences} labelled sentences)", f"{total}: {by_label}")
    yield Row(part, "worth keeping (good)", percent(shares["good"]))
    yield Row(part, "good, sentences found elsewhere", percent(shares["good_of_found_sentences"]))
    yield Row(part, "good or weak", percent(shares["good_or_weak"]))
    yield Row(part, "garbled by retelling", percent(shares["garbled"]))
    yield Row(part, "good sentences kept", percent(shares["good_sentences_kept"]))
    yield Row(part, "bad sentences kept", percent(shares["bad_sentences_kept"]))
