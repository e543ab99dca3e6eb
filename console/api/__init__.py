"""The API that other systems use: what the desk shows and does, as JSON, described by OpenAPI."""
