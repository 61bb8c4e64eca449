"""Rules that turn written Vietnamese into spoken words, one kind of expression per module."""
