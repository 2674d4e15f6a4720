"""OpenAI-shaped providers over HTTP: one bounded call, every failure typed. Below `llm` and `embeddings`."""
