"""Grounding: is what a language model wrote of an article in the article?"""

from digest.condense.grounding.check import Grounded, ground

__all__ = ["Grounded", "ground"]
