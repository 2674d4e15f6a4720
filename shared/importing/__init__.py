"""Logs of other systems, read as bodies of `POST /v1/memories/`: pure, used by the API and by the command alike."""
