"""What condense knows of each language: word lists in `<code>.toml`, read once."""
