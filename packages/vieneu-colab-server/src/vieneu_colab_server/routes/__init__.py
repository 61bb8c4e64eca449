"""Routes: parse requests, call the services, build responses."""
