"""Which topics an article belongs to: by rule, by what editors decided, by what was learned of that."""

from digest.condense.topics.matching import THRESHOLD, match_topics

__all__ = ["THRESHOLD", "match_topics"]
