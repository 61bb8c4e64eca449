"""The relay service: the server's HTTP app over a router, administered while it runs."""
