"""Lists of readers as other programs write them, and as this one does: in, and out again."""
