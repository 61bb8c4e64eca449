"""Doubles of a backend for tests of programs that use this package."""
