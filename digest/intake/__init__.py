"""Lists of people brought from elsewhere, read whole before anything is stored."""
