"""The text of the repository speaks of the product only: no build machine, no registry, no key, no leftovers."""

from __future__ import annotations

import json
import re
import tomllib

from tests.house.tree import ROOT, files, relative, text

FORBIDDEN = {
    "a folder of one machine": re.compile(r"(?<![\w.])/(?:work|home|root|Users)/(?!\.cache)[a-z]\w*"),
    "a package registry's host": re.compile(r"(?:files\.)?pythonhosted\.org|\bpypi\.org|registry\.npmjs|/simple/"),
    "a key": re.compile(r"\bsk-(?:proj-)?[A-Za-z0-9]{20,}|\bghp_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}"),
    "a mark of unfinished work": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


def test_no_forbidden_strings() -> None:
    """Absolute paths, registry hosts, keys and unfinished work do not get in."""
    found = [
        f"{relative(path)}:{content.count(chr(10), 0, hit.start()) + 1}: {what}: {hit.group()[:40]}"
        for path in files()
        if path.relative_to(ROOT).parts[:2] != ("tests", "data")
        and path.name != "test_text.py"
        and (content := text(path)) is not None
        for what, pattern in FORBIDDEN.items()
        if what != "a key"
        or path.relative_to(ROOT).parts[0] != "tests"  # tests of what must be refused hold key-shaped words
        for hit in pattern.finditer(content)
    ]

    assert found == []


def test_locks_name_no_index_and_check_every_file() -> None:
    """A lock holds names, versions, markers, hashes: where packages come from is the installing machine's business."""
    for lock in files(suffix=".lock"):
        lines = lock.read_text(encoding="utf-8").splitlines()
        odd = [
            line
            for line in lines
            if not re.match(r"[a-z0-9][\w.-]*==\S+( ;.*)? \\$|    --hash=sha256:\w{64}( \\)?$", line)
        ]
        assert odd == [], lock.name
        bare = [a for a, b in zip(lines, [*lines[1:], ""], strict=True) if "==" in a and "--hash" not in b]
        assert bare == [], lock.name


def test_npm_locks_name_no_index_and_check_every_file() -> None:
    """The same of npm's: a digest for every package, no address of any."""
    for lock in files(suffix="package-lock.json"):
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        odd = [
            name
            for name, entry in packages.items()
            if name and ("resolved" in entry or not entry.get("integrity", "").startswith("sha512-"))
        ]
        assert odd == [], lock


def test_lock_holds_every_dependency() -> None:
    """What pyproject.toml asks for is pinned; `make lock` was run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {normal(re.split(r"[\[<>=~! ]", line)[0]) for line in wanted}
    locked = {
        normal(name)
        for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE)
    }

    assert names - locked == set()


def test_image_installs_what_was_tested() -> None:
    """The image's lock holds the very lines of requirements.lock, less the tools and the embedded parts."""
    tested = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    image = (ROOT / "deploy" / "runtime.lock").read_text(encoding="utf-8").splitlines()

    assert set(map(bare, image)) - set(map(bare, tested)) == set()


def test_no_dependency_has_the_name_of_our_packages() -> None:
    """`api`, `workers`, `shared` and `cli` are ours alone."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert re.findall(r"^(api|workers|shared|cli|deploy|docs|tests)==", lock, re.MULTILINE) == []


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def bare(line: str) -> str:
    """Without marker and continuation: a tool that needs a package elsewhere widens its marker."""
    return line.split(" ;", maxsplit=1)[0].rstrip(" \\")
