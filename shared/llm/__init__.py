"""The chat model behind one call with typed outcomes."""
