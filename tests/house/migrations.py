"""The rules of a migration, as code: what it may not do to tables that hold rows and that the last release still uses.

A migration is judged by the SQL it renders. Tables it makes itself are its own: on them everything is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations

_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'", re.DOTALL)
_NAME = r'(?:IF (?:NOT )?EXISTS )?(?:ONLY )?(?:public\.)?"?(\w+)"?'
_MADE = re.compile(rf"CREATE (?:UNLOGGED )?TABLE {_NAME}")
_TABLE = (
    re.compile(rf"ALTER TABLE {_NAME}"),
    re.compile(r"CREATE (?:UNIQUE )?INDEX .*? ON (?:ONLY )?(?:public\.)?\"?(\w+)\"?"),
    re.compile(rf"^UPDATE {_NAME}"),
    re.compile(rf"^DELETE FROM {_NAME}"),
    re.compile(rf"DROP TABLE {_NAME}"),
)
_ADD = r"ADD (?:CONSTRAINT \w+ )?"
_REWRITES = r"clock_timestamp|random|gen_random_uuid|uuidv7|nextval|SERIAL|GENERATED"

# What breaks the release before, or rewrites or locks a filled table: why, then the pattern. Patterns see no strings.
_NEVER = (
    ("renames what the release before still names", r"\bRENAME\b"),
    ("changes a type: rewrites the table", r"ALTER COLUMN \w+ (SET DATA )?TYPE"),
    ("demands values that the release before does not give", r"ALTER COLUMN \w+ SET NOT NULL"),
    ("demands values that the release before does not give", r"ADD COLUMN (?=.*NOT NULL)(?!.*DEFAULT)"),
    ("locks out readers and writers", r"\bTRUNCATE\b|\bLOCK TABLE\b|\bCLUSTER\b|\bVACUUM FULL\b"),
    ("locks out writers", r"\bREINDEX\b(?!.*CONCURRENTLY)"),
    ("rewrites the table: a default that differs from row to row", rf"ADD COLUMN [^,]*?({_REWRITES})"),
    ("changes every row in one transaction: fill in batches, by a job", r"^(UPDATE|DELETE)\b(?!.*\bWHERE\b)"),
    ("checks every row under its lock: NOT VALID first", rf"{_ADD}(CHECK|FOREIGN KEY)(?!.*NOT VALID)"),
    ("builds an index under its lock: USING INDEX", rf"{_ADD}(UNIQUE|PRIMARY KEY|EXCLUDE)(?!.*USING INDEX)"),
)
_INDEX = ("blocks writers while it is built: CONCURRENTLY", r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)")
_DROPS = re.compile(
    r"DROP (?:TABLE|COLUMN|INDEX|FUNCTION|TYPE|VIEW|TRIGGER|SCHEMA|POLICY|CONSTRAINT(?= (?:IF EXISTS )?(?:uq|pk)_))"
    r" (?:CONCURRENTLY )?(?:IF EXISTS )?(?:public\.)?\"?(\w+)"
)
_TIMEOUT = re.compile(r"\b(?:SET (?:LOCAL |SESSION )?|RESET )(lock_timeout|statement_timeout)\b", re.IGNORECASE)
_ZERO = re.compile(r"(?:=|TO)\s*'?(?:0\s*(?:ms|s|min)?'?\s*$|DEFAULT)", re.IGNORECASE)

Rule = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Releases:
    """What was published, oldest first, by name; and the revision the first of them stands at."""

    names: tuple[str, ...] = ()
    first_head: str = ""

    def before_the_first(self, revision: str) -> bool:
        """Whether nobody's tables were filled yet."""
        return not self.names or revision <= self.first_head


def faults(module: ModuleType, releases: Releases) -> list[str]:
    """Why this migration may not be run beside the release before it; [] when it may."""
    sql = statements(module)
    early = releases.before_the_first(module.revision)
    found = list(_faults(sql, _NEVER if early else (*_NEVER, _INDEX), _contracted(module, releases)))
    return [f"{module.revision}: {why}" for why in (*found, *(() if early else _checked_under_lock(sql)))]


def statements(module: ModuleType) -> list[str]:
    """The SQL that its `upgrade` would run on PostgreSQL."""
    written: list[str] = []
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": _Buffer(written), "transactional_ddl": True}
    )
    with context.begin_transaction(), Operations.context(context):
        module.upgrade()
    return [statement for text in written for statement in _split(text)]


class _Buffer(StringIO):
    def __init__(self, into: list[str]) -> None:
        super().__init__()
        self._into = into

    def write(self, text: str) -> int:
        self._into.append(text)
        return len(text)


def _split(text: str) -> Iterator[str]:
    """Single statements in single lines."""
    hidden: list[str] = []

    def hide(found: re.Match[str]) -> str:
        hidden.append(found.group())
        return f"\0{len(hidden) - 1}\0"

    for part in _QUOTED.sub(hide, text).split(";"):
        whole = re.sub(r"\0(\d+)\0", lambda found: hidden[int(found.group(1))], " ".join(part.split()))
        if whole:
            yield whole


def _contracted(module: ModuleType, releases: Releases) -> frozenset[str]:
    """Names the migration may drop: `contracts = {name: last release that used it}`, and a newer one is out."""
    declared: dict[str, str] = getattr(module, "contracts", {})
    unused = releases.names[:-1]
    return frozenset(name for name, release in declared.items() if release in unused)


def _faults(sql: Iterable[str], rules: Sequence[Rule], contracted: frozenset[str]) -> Iterator[str]:
    made: set[str] = set()
    for statement in sql:
        if _waits_for_ever(statement):
            yield f"waits for ever: {statement}"
        plain = _QUOTED.sub("''", statement)
        made |= set(_MADE.findall(plain))
        if _touched(plain) & made:
            continue
        for why, pattern in rules:
            if re.search(pattern, plain, re.IGNORECASE):
                yield f"{why}: {statement}"
        for name in set(_DROPS.findall(plain)) - contracted:
            yield f"drops what the release before may use ({name}): {statement}"


def _checked_under_lock(sql: Iterable[str]) -> Iterator[str]:
    """A constraint added and validated in one transaction: the scan happens under the lock that adding took."""
    added: set[str] = set()
    for statement in sql:
        added |= set(re.findall(r"ADD CONSTRAINT (\w+)", statement))
        if added & set(re.findall(r"VALIDATE CONSTRAINT (\w+)", statement)):
            yield f"checks every row under the lock that adding took: a migration of its own: {statement}"
        if statement == "COMMIT":
            added.clear()


def _waits_for_ever(statement: str) -> bool:
    setting = _TIMEOUT.search(statement)
    return setting is not None and (statement.upper().startswith("RESET") or _ZERO.search(statement) is not None)


def _touched(statement: str) -> set[str]:
    return {name for pattern in _TABLE for name in pattern.findall(statement)}
