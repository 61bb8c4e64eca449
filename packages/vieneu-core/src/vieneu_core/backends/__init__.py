"""Backends: what serves synthesis, all behind one interface."""
