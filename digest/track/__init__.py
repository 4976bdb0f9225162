"""What comes back: unsubscribe links and the tokens that carry them."""
