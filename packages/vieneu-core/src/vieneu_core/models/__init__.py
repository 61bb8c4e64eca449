"""Model files: sources, download, cache and verification. Not engines."""
