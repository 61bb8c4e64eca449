"""Models in one process: blocking, text and voice to samples. Run by the worker."""
