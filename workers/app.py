"""The worker process: Celery consumes bells, lifecycle holds the rest.

Start: `celery -A workers.app worker --pool threads`.
"""

from __future__ import annotations

from shared.queue import make_app
from shared.settings import get_settings
from workers import lifecycle, tasks

_settings = get_settings()

app = make_app(_settings.redis_url, "flumes-worker")
app.conf.worker_pool = "threads"
app.conf.worker_concurrency = _settings.slots
tasks.register(app)
lifecycle.connect(_settings)
