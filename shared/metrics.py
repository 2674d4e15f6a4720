"""Prometheus metrics of both processes, made once; label values are closed sets, never ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ACCEPTED = Counter("flumes_events_accepted_total", "Events accepted", ["lane"])
FINISHED = Counter("flumes_events_finished_total", "Events that ended", ["status", "code"])
REJECTED = Counter("flumes_requests_refused_total", "Requests refused", ["code"])
RECORDS = Counter("flumes_records_total", "Extractor records by fate", ["fate"])
LLM_CALLS = Counter("flumes_llm_calls_total", "Chat calls", ["outcome"])
LLM_TOKENS = Counter("flumes_llm_tokens_total", "Tokens the provider reported", ["kind"])
WINDOWS = Histogram(
    "flumes_window_seconds",
    "Seconds from claim to commit",
    ["outcome"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 75),
)
WINDOW_MESSAGES = Histogram("flumes_window_messages", "Messages in a window", buckets=(1, 2, 4, 8, 16, 40))
REQUESTS = Histogram(
    "flumes_request_seconds",
    "Seconds to answer",
    ["route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 8, 60),
)
WAITERS = Gauge("flumes_waiters", "Requests waiting for an event")
SLOTS_BUSY = Gauge("flumes_slots_busy", "Windows in work")
PENDING = Gauge("flumes_pending_messages", "Messages accepted and not yet applied", ["lane"])
OLDEST = Gauge("flumes_oldest_pending_seconds", "Age of the oldest due event")
INDEX_BACKLOG = Gauge("flumes_index_queue_rows", "Changes the vector index has not confirmed")
WEBHOOKS_PENDING = Gauge("flumes_webhook_deliveries_pending", "Deliveries not yet accepted by an active webhook")
WEBHOOKS_OLDEST = Gauge("flumes_webhook_oldest_pending_seconds", "Age of the oldest of them")
WEBHOOK_ATTEMPTS = Counter("flumes_webhook_attempts_total", "Attempts to deliver, by what became of them", ["outcome"])
SPEND_CAPPED = Gauge("flumes_projects_at_spend_ceiling", "Projects whose work waits for their ceiling on tokens")
BREAKER_OPEN = Gauge("flumes_breaker_open", "1 while a provider is left alone", ["provider"])

# Series that alerts watch exist from the start, at zero.
for _lane in ("live", "bulk"):
    ACCEPTED.labels(_lane)
    PENDING.labels(_lane)
FINISHED.labels("SUCCEEDED", "")
for _outcome in ("delivered", "retried", "failed"):
    WEBHOOK_ATTEMPTS.labels(_outcome)
for _code in ("llm_invalid_output", "llm_ungrounded", "llm_refused", "crashed", "expired", "partial", "internal"):
    FINISHED.labels("FAILED", _code)
