"""The key-free extractor: deterministic rules, no model and no network."""
