"""Resolves each lock for every Python and platform it promises, without installing: `make lock-check` (needs uv).

Promised: Linux with glibc 2.28 or newer on x86-64 and arm64, macOS 14 or newer on arm64, macOS on x86-64.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-apple-darwin")


def resolves(uv: str, lock: Path, python: str, platform: str) -> str:
    """What uv complains about; nothing when every package has a wheel with a listed hash."""
    with tempfile.TemporaryDirectory() as empty:
        where = ["--target", empty, "--python-version", python, "--python-platform", platform]
        how = ["--dry-run", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
        env = os.environ | ({"MACOSX_DEPLOYMENT_TARGET": "14.0"} if platform == "aarch64-apple-darwin" else {})
        result = subprocess.run(
            [uv, "pip", "install", *where, *how], capture_output=True, text=True, check=False, env=env
        )
    return "" if result.returncode == 0 else result.stderr.strip()


def main(uv: str) -> int:
    """Prints one line a pair; the number of pairs that failed."""
    failed = 0
    for lock in (
        ROOT / "requirements.lock",
        ROOT / "deploy" / "runtime.lock",
        *sorted(ROOT.glob("tests/clients/*.lock")),
    ):
        for python in PYTHONS:
            for platform in PLATFORMS:
                complaint = resolves(uv, lock, python, platform)
                failed += bool(complaint)
                print(
                    f"{lock.name:20} {python:5} {platform:24} {'FAILED' if complaint else 'ok'}", complaint, flush=True
                )
    return failed


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1])))
