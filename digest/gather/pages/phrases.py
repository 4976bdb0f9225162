"""The labels of news pages, in the languages most are read in: takeaways, related links, comments, bylines.

Each pattern is matched against one whole line and believed only up to a length: a sentence of an article may
contain "read more", a line of its own that begins with it is a label.
"""

from __future__ import annotations

import re

from digest.domain.summary_labels import is_summary_label
from digest.gather.plain import word_count

LABEL_MOST = 120
"""No label is longer, in characters."""


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _line(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern for a whole line that is one of `alternatives`, whatever signs stand around it."""
    return re.compile(rf"\W*{_any(*alternatives)}\W*", re.IGNORECASE)


_TAKEAWAYS = _line(
    r"(?:the |our |my )?(?:\w+ )?(?:key|main|top|quick|big|biggest)[ -]"
    r"(?:take-?aways?|points?|facts?|findings|insights?|highlights|messages)"
)
"""Labels of summaries that vary too much to be listed."""

_RELATED_LABEL = re.compile(
    r"\W*"
    + _any(
        r"also (?:on|in|from|read)\b|read (?:more|next|also|on)\b|related\b|see also\b|next article\b",
        r"more (?:from|on|in|about|like)\b|you (?:may|might) (?:also )?(?:like|enjoy)\b|recommended\b",
        r"editor['’]?s['’]? picks?\b|don['’]t miss\b|most (?:read|popular|viewed|shared)\b|trending\b",
        r"popular (?:now|stories|posts)\b|top stories\b|up next\b|further reading\b|keep reading\b",
        r"latest (?:news|stories|posts|from)\b|in case you missed it\b|other stories\b",
        r"lire aussi\b|à lire (?:aussi|également)|sur le même (?:sujet|thème)|les plus lus",
        r"articles? (?:liés|similaires|associés)|lesen sie (?:auch|mehr)|mehr zum thema|auch interessant",
        r"das könnte sie|verwandte (?:artikel|themen)|meistgelesen|le[ae] también|te puede interesar",
        r"(?:artículos|noticias) relacionad[ao]s|lo más (?:leído|visto)|leia (?:também|mais)|veja também",
        r"mais lidas|leggi anche|articoli correlati|lees ook|gerelateerd|meer over|meest gelezen",
        r"potrebbe interessarti|i più letti|notícias relacionadas|saiba mais|articles recommandés|voir aussi",
        r"dans la même rubrique|mehr (?:von|aus)|weitere (?:artikel|meldungen)|más (?:sobre|noticias|en)\b",
        r"läs (?:också|även|mer)|mest läst|relaterade|læs også|les også|mest lest|mest læste",
        r"czytaj (?:także|też|więcej)|zobacz (?:także|też)|polecamy|najczęściej czytane",
    )
    + r"[^.!?]*[^\w.!?]*",
    re.IGNORECASE,
)

_RELATED_LINE = re.compile(
    r"\W*"
    + _any(
        r"read (?:more|next|also)|related(?: (?:stor\w+|articles?|content|links?|video))?|see also|also read",
        r"more on this|watch(?: (?:now|below|live|more))?|listen(?: (?:now|to))?|video|gallery|must read",
        r"don['’]t miss|up next|(?:à )?lire aussi|lesen sie auch|mehr zum thema|lea también|leia também",
        r"leggi anche|lees ook|lea también|le[ae] m[áa]s|voir aussi|läs (?:också|även)|læs også|les også",
        r"czytaj (?:także|też|więcej)|zobacz (?:także|też)|saiba mais|veja também",
    )
    + r"\s*[:|›»–-].+",
    re.IGNORECASE,
)

_COMMENTS = _line(
    r"(?:\d+ |no |view |show |read |join the |all |latest |add |post |leave )?(?:your |a |the |all )*"
    r"(?:comments?(?: section| policy)?|conversation|discussion)(?: \(\d+\)| \d+| yet)?",
    r"(?:leave|write|post) a (?:reply|comment|response)|\d+ (?:responses|replies|thoughts on .*)",
    r"cancel reply|join our commenting forum|(?:laisser|ajouter|écrire) un commentaire",
    r"(?:\d+ )?(?:commentaires?|kommentare?|comentarios?|commenti|reacties)|plaats een reactie",
    r"kommentar (?:schreiben|verfassen)|schreiben sie einen kommentar|deixe um comentário",
    r"(?:deja|dejar) (?:un comentario|una respuesta)|lascia un commento|(?:\d+ )?kommentarer"
    r"|komentarze(?: \(\d+\))?",
    r"dodaj komentarz|skriv en kommentar|(?:réagir|participez) à la conversation",
)

# Case matters here: "By Anna Berg" names an author, "by the time" does not.
_BYLINE = re.compile(
    r"\W*"
    + _any(
        r"(?i:by|von|par|por|di|door|av|af) [A-ZÀ-Þ][^.!?]{1,70}",
        r"(?i:published|posted|updated|last (?:updated|modified)|first published)\b.{0,60}\d.{0,40}",
        r"(?i:publié|veröffentlicht|aktualisiert|publicado|actualizado|pubblicato"
        r"|aggiornato)\b.{0,60}\d.{0,40}",
        r"(?i:mis à jour|stand:|gepubliceerd|bijgewerkt|publicerad|uppdaterad|opublikowano"
        r"|atualizado)\b.{0,60}\d.{0,40}",
        r"(?i:lesezeit|temps de lecture|tiempo de lectura|leestijd|lästid|tempo di lettura)\W.{0,30}",
        r"\d+ min(?:ute)?s?(?: read)?",
        r"(?i:mon|tues|wednes|thurs|fri|satur|sun)day,? .{0,30}\d{4}.{0,20}",
        r"\d{1,2}\.? \w+ \d{4}(?:,? .{0,15})?|\d{4}-\d{2}-\d{2}.{0,20}",
        r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.? \d{1,2},? \d{4}.{0,25}",
    )
    + r"\W*"
)


def is_takeaways_label(text: str) -> bool:
    """Say whether a line announces the publisher's own summary: "Key Takeaways", "Auf einen Blick"."""
    return len(text) <= 60 and (is_summary_label(text) or bool(_TAKEAWAYS.fullmatch(text)))


def is_related_label(text: str, *, before_prose: bool = False) -> bool:
    """Say whether a line leads in links to other articles: "Also on Horizon:", "Lire aussi".

    Before prose it has to be plainer: "More in common than expected" heads a part of an article there.
    """
    words = word_count(text)
    if before_prose and words > 2 and not text.endswith(":"):
        return False
    return words <= 9 and bool(_RELATED_LABEL.fullmatch(text)) and not is_takeaways_label(text)


def is_comments_label(text: str) -> bool:
    """Say whether a line opens the comments, after which nothing is the article's."""
    return word_count(text) <= 8 and bool(_COMMENTS.fullmatch(text))


def is_byline(text: str) -> bool:
    """Say whether a line names only the author, the day, or the minutes to read."""
    return word_count(text) <= 16 and bool(_BYLINE.fullmatch(text))


def is_related_line(text: str) -> bool:
    """Say whether a line leads to one other article: "Read more: A bridge opens"."""
    return word_count(text) <= 30 and bool(_RELATED_LINE.fullmatch(text))
