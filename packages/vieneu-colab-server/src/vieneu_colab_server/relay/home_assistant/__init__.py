"""The relay as an app (add-on) of Home Assistant: its options, its user, its discovery."""
