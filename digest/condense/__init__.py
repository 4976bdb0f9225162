"""Articles to takeaways and topics, each traceable to the place in the text that supports it."""
