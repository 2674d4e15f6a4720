"""The checks a record must pass before it may become a memory: pure functions, one idea a file."""
