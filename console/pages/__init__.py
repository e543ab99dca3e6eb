"""Pages: what people see, rendered on the server."""
