"""The database: one module per noun with its table and the questions asked of it. Nothing here commits."""
