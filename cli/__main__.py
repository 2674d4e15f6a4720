"""`python -m cli` is the `flumes` command."""

from cli.main import app

app(prog_name="flumes")
