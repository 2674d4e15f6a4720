"""Orders planted in text, one file a language."""
