"""Commands of ``vieneu``, each with its signature and its body in one module."""
