"""Stands in for the package of a Colab runtime.

Modules, names, arguments, errors and their texts are those of googlecolab/colabtools (Apache-2.0),
commit 3c07d776 of 2026-04-07. What the page at the other end answers stands in variables; see
`google.colab._message`.
"""
