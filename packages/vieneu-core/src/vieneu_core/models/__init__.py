"""Files of models: where they come from, and whether they are what they should be. No engine."""
