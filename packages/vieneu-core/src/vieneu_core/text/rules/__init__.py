"""Rules that turn written Vietnamese into what is spoken, a kind of expression in each file."""
