"""The protocol between client and server; the only thing that the two share."""
