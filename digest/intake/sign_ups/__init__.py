"""Sign-ups: what is hinted at while they are typed, and what becomes of them."""
