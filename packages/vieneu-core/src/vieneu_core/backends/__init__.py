"""Places that serve synthesis, all behind one interface."""
