"""Ways from the internet to a port of this machine. Not the server behind it."""
