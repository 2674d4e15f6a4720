"""Upgrades lose nothing: a migration may run while the release before it still works."""

from __future__ import annotations

from types import ModuleType

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.script import ScriptDirectory

from tests.house.migrations import Releases, faults, statements
from tests.house.tree import ROOT

FIRST = "0001"
# No release is out yet. Each gets its name here; the first also says which revision it stands at.
RELEASES = Releases()
ONE_OUT = Releases(names=("0.1",), first_head="0005")


def scripts() -> list[ModuleType]:
    """All migrations, oldest first."""
    folder = str(ROOT / "shared/db/migrations")
    return [script.module for script in ScriptDirectory(folder).walk_revisions()][::-1]


def test_every_migration_keeps_the_rules() -> None:
    """Expand first, contract a release later, never wait for ever (deploy/decisions/0008)."""
    later = [module for module in scripts() if module.revision != FIRST]

    assert [fault for module in later for fault in faults(module, RELEASES)] == []


def test_migrations_form_one_line() -> None:
    """Two heads would leave it to chance what a database looks like."""
    made = scripts()

    assert [module.down_revision for module in made] == [None, *(module.revision for module in made[:-1])]


def planted(upgrade: str, revision: str = "9999", **more: object) -> ModuleType:
    """A migration whose upgrade is this source."""
    module = ModuleType("planted")
    module.__dict__.update(revision=revision, down_revision="9998", op=op, sa=sa, **more)
    body = "\n".join(f"    {line}" for line in upgrade.splitlines())
    exec(f"def upgrade():\n{body}", module.__dict__)  # the sources stand below
    return module


BAD = {
    "drops a column": 'op.drop_column("memories", "kind")',
    "drops a table": 'op.drop_table("feedback")',
    "drops an index": 'op.drop_index("ix_memories_ids", table_name="memories")',
    "drops a unique constraint": 'op.drop_constraint("uq_api_keys_public_id", "api_keys")',
    "renames a column": 'op.alter_column("memories", "kind", new_column_name="sort")',
    "renames a table": 'op.rename_table("memories", "facts")',
    "changes a type": 'op.alter_column("events", "attempts", type_=sa.BigInteger())',
    "column without a default": 'op.add_column("events", sa.Column("x", sa.Text(), nullable=False))',
    "column with a changing default": (
        'op.add_column("events", sa.Column("x", sa.TIMESTAMP(), server_default=sa.text("clock_timestamp()")))'
    ),
    "not null afterwards": 'op.alter_column("events", "error_code", nullable=False)',
    "blocking index": 'op.create_index("ix_new", "events", ["kind"])',
    "blocking unique index": 'op.execute("CREATE UNIQUE INDEX uq_new ON events (kind)")',
    "check of all rows": 'op.create_check_constraint("ck_new", "events", "attempts < 9")',
    "foreign key at once": 'op.create_foreign_key("fk_new", "events", "scopes", ["scope_id"], ["id"])',
    "unique at once": 'op.create_unique_constraint("uq_new", "events", ["seq"])',
    "validated under the lock": (
        'op.execute("ALTER TABLE events ADD CONSTRAINT ck_new CHECK (attempts < 9) NOT VALID")\n'
        'op.execute("ALTER TABLE events VALIDATE CONSTRAINT ck_new")'
    ),
    "fills all rows": "op.execute(\"UPDATE events SET kind = 'add; now'\")",
    "truncates": 'op.execute("TRUNCATE events")',
    "waits for ever for a lock": "op.execute(\"SET LOCAL lock_timeout = '0'\")",
    "works for ever": 'op.execute("SET statement_timeout TO DEFAULT")',
    "resets": 'op.execute("RESET lock_timeout")',
    "hidden behind another statement": 'op.execute("SELECT 1; ALTER TABLE events DROP COLUMN kind")',
}


@pytest.mark.parametrize("upgrade", BAD.values(), ids=BAD.keys())
def test_a_bad_migration_is_refused(upgrade: str) -> None:
    """Each would break the release before, or block a filled table."""
    assert len(faults(planted(upgrade), ONE_OUT)) == 1


GOOD = {
    "a table of its own": (
        'op.create_table("notes", sa.Column("id", sa.UUID(), nullable=False))\n'
        'op.create_index("ix_notes", "notes", ["id"])\n'
        'op.create_check_constraint("ck_notes", "notes", "id IS NOT NULL")'
    ),
    "a column that may be empty": 'op.add_column("events", sa.Column("x", sa.Text()))',
    "a column with a constant": (
        'op.add_column("events", sa.Column("x", sa.Integer(), server_default="0", nullable=False))'
    ),
    "an index beside the writers": (
        "with op.get_context().autocommit_block():\n"
        "    op.execute(\"SET statement_timeout = '30min'\")\n"
        '    op.create_index("ix_new", "events", ["kind"], postgresql_concurrently=True)'
    ),
    "a check for new rows": 'op.execute("ALTER TABLE events ADD CONSTRAINT ck_new CHECK (attempts < 9) NOT VALID")',
    "the check of the old rows": 'op.execute("ALTER TABLE events VALIDATE CONSTRAINT ck_new")',
    "a function": 'op.execute("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; TRUNCATE x $$")',
    "few rows": "op.execute(\"UPDATE projects SET timezone = NULL WHERE timezone = 'DROP TABLE x'\")",
}


@pytest.mark.parametrize("upgrade", GOOD.values(), ids=GOOD.keys())
def test_a_good_migration_passes(upgrade: str) -> None:
    """What a release can grow by without being noticed by the one before."""
    assert faults(planted(upgrade), ONE_OUT) == []


def test_a_column_goes_once_no_release_that_runs_beside_uses_it() -> None:
    """Contract: declared with the last release that used it, and a newer one is out."""
    drop = planted('op.drop_column("memories", "kind")', contracts={"kind": "0.1"})

    assert len(faults(drop, ONE_OUT)) == 1
    assert faults(drop, Releases(names=("0.1", "0.2"))) == []


def test_revisions_before_the_first_release_may_build_their_indexes_at_once() -> None:
    """Nobody's table is filled yet; everything else holds for them too."""
    index, drop = BAD["blocking index"], BAD["drops a column"]

    assert faults(planted(index, revision="0005"), ONE_OUT) == faults(planted(index), Releases()) == []
    assert len(faults(planted(index, revision="0006"), ONE_OUT)) == 1
    assert len(faults(planted(drop, revision="0005"), ONE_OUT)) == len(faults(planted(drop), Releases())) == 1


def test_statements_are_those_that_would_run() -> None:
    """Rendered without a database, one by one."""
    sql = statements(planted('op.execute("SELECT 1; SELECT \';\'")\nop.drop_column("memories", "kind")'))

    assert [line for line in sql if line not in ("BEGIN", "COMMIT")] == [
        "SELECT 1", "SELECT ';'", "ALTER TABLE memories DROP COLUMN kind",
    ]  # fmt: skip
