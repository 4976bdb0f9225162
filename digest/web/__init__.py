"""The pages: the editor's desk, what subscribers reach from their mail, and health checks."""
