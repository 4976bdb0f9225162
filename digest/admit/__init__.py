"""Who may come in: passwords, and the sessions of those who are in."""
