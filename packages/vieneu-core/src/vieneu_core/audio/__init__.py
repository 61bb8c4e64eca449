"""Samples: what they are, how they are encoded, resampled and stretched."""
