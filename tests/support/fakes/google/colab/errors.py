"""Errors of Colab."""

from __future__ import annotations


class Error(Exception):
    """Base of the errors of `google.colab`."""
