"""A media player that writes down what it plays, as a real one fetches it."""
