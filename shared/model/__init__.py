"""Pure values and rules of the domain; no I/O and no third-party clients."""
