"""Pages for editors and subscribers."""
