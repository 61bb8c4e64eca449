"""Stands in for what a Colab runtime has."""
