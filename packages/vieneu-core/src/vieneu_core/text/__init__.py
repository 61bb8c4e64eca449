"""Text: how it becomes sentences, and sentences become passages."""
