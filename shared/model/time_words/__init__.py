"""The words for time, one language a file, as data; grounding reads them through `packs`."""
