"""Commands of ``vieneu``, each with its signature and implementation in one module."""
