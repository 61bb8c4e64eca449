"""What each path does: parse, ask, shape the answer."""
