"""Condensing with what the newsletter asks for: by extraction, or by a language model when one can be asked."""
