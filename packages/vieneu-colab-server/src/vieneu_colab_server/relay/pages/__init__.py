"""Web pages of the relay: plain files, without a build step, that load nothing from elsewhere.

Each page has a folder; ``shared`` holds what all of them use.
"""
