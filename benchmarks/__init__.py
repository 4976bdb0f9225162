"""Programs that print figures: each takes --json and prints one object with the keys its name promises."""
