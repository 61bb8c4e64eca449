"""Engines with speech codes: a language model generates codes, a codec decodes them to samples."""
