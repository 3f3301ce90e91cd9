"""The nouns: frozen values that round-trip through JSON. Nothing here reads, writes or decides."""
