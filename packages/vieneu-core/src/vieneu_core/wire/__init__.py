"""Protocol between client and server, the only modules that both sides share."""
