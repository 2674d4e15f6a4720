"""What the worker child runs: Celery's own command line on our app, found beside this package whatever the folder.

(`celery -A` would look in the current folder first, where a stranger's `workers` package may lie.)
"""

from __future__ import annotations

import sys

from workers.app import app

if __name__ == "__main__":
    app.worker_main(sys.argv[1:])
