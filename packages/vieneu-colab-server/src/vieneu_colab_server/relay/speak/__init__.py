"""API of the Speak page: sessions of its users, and the server's own API for those who have one."""
