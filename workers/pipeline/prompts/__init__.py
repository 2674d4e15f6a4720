"""Prompt text and answer schema, kept side by side."""
