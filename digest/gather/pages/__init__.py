"""A page to an article, and what that rests on."""
