"""The image without Docker: its files in a folder of their own, its commands as plain processes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.house.tree import ROOT

_COPY = re.compile(r"^COPY (?:--chmod=\d+ )?(\w[\w/.]*) (\S+)$", re.MULTILINE)


class Image:
    """What the Dockerfile copies, below `folder`; the locked dependencies are the ones of this interpreter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for source, target in _COPY.findall((ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")):
            place = folder / target.strip("/")
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                continue
            place = place / Path(source).name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, place)
        (folder / "tmp").mkdir()

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """The image's ENV plus `settings`, and nothing of the caller's."""
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        ours = {"PATH": path, "PYTHONPATH": str(self.folder / "app"), "TMPDIR": str(self.folder / "tmp")}
        ready = {"FLUMES_READY_FILE": str(self.folder / "tmp" / "flumes-ready")}
        return {**ours, **ready, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **settings}

    def start(self, settings: Mapping[str, str], *command: str, log: Path) -> subprocess.Popen[bytes]:
        """A container's process; its output goes to `log`."""
        with log.open("wb") as out:
            return subprocess.Popen(
                self._command(command),
                cwd=self.folder / "app",
                env=self.environment(settings),
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def run(self, settings: Mapping[str, str], *command: str) -> tuple[int, str]:
        """Exit code and output of a command that ends by itself."""
        result = subprocess.run(
            self._command(command),
            cwd=self.folder / "app",
            env=self.environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return result.returncode, result.stdout

    def _command(self, words: Sequence[str]) -> list[str]:
        return ["sh", str(self.folder / "usr/local/bin/flumes-entrypoint"), *words]
