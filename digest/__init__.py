"""Digest: gather a week's articles, condense them, and mail each subscriber what they follow."""

__version__ = "0.1.0"
