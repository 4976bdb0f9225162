"""The command against a server elsewhere, over its API with a token."""
