"""What readers are asked before it is measured what they open and follow."""

from __future__ import annotations

from digest.compose.phrases import Phrases
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Newsletter
from digest.web.archive_views import name_of_newsletter
from digest.web.sign_up_words import MAY_MEASURE, ONLY_MEASURE


def asked_of(newsletter: Newsletter, spoken: Phrases, *, days: int, may_spare: bool = True) -> str:
    """Return what a reader is asked about being measured, '' where the newsletter asks nobody.

    `days` is how long what is measured is kept. Without `may_spare` it is what readers were asked before it
    might spare them mail.
    """
    if newsletter.measuring is Measuring.OFF:
        return ""
    words = MAY_MEASURE if may_spare else ONLY_MEASURE
    return spoken.said(words, newsletter=name_of_newsletter(newsletter), days=days)
