"""Texts that the chat model writes for a reader: summaries and filled forms. No write passes through here."""
