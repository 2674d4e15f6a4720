"""Dead parts on their way back. They rise together, and while they do more may be broken: whoever waits tends them."""

from __future__ import annotations

import time

from cli.embedded.part import Part, wait_ready

_READY = 120.0  # seconds a part may need on a busy machine


class Rising:
    """Parts that were started and do not serve yet."""

    def __init__(self) -> None:
        self._since: dict[Part, float] = {}

    def __contains__(self, part: Part) -> bool:
        return part in self._since

    def __len__(self) -> int:
        return len(self._since)

    def begin(self, *parts: Part) -> None:
        """Start them, without waiting."""
        for part in parts:
            part.start()
            self._since[part] = time.monotonic()

    def tend(self) -> None:
        """Let go of those that serve, and start again those that died on their way, as what they need was away.

        Raises PartError for one that is not there after two minutes.
        """
        for part, since in list(self._since.items()):
            if part.ready():
                del self._since[part]
            elif time.monotonic() > since + _READY:
                wait_ready(part, 0.0)
            elif not runs(part):
                part.start()

    def wait(self, *parts: Part) -> None:
        """Until these serve; all, when none is named."""
        while any(part in self._since for part in parts or tuple(self._since)):
            self.tend()
            time.sleep(0.01)


def runs(part: Part) -> bool:
    """Whether its process is there."""
    return part.child is not None and part.child.exit_code() is None
