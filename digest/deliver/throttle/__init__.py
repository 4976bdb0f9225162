"""How fast mail leaves: what ops allow, what receivers put up with, and whose turn it is."""
