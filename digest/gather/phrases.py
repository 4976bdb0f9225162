"""The set phrases of news pages, in the languages most are read in: what is furniture, and what never is.

Each pattern is matched against one whole block of text and believed only up to a length: a sentence of an
article may contain "read more", a line of its own that begins with it is furniture.
"""

from __future__ import annotations

import re

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
    r"(?:take-?aways?|points?|facts?|findings|insights?|highlights|messages)",
    r"(?:the )?take-?aways?|(?:article |story )?highlights|in (?:brief|short|a nutshell)|at a glance|tl;?dr",
    r"the (?:gist|bottom line|short version|essentials)|what (?:you need )?to know|(?:quick )?summary",
    r"les points (?:clés|essentiels)|(?:l['’])?essentiel|en (?:bref|résumé)|à retenir",
    r"ce qu['’]il faut (?:retenir|savoir)",
    r"das wichtigste(?: in kürze)?|auf einen blick|kurz (?:zusammengefasst|und knapp)|kernpunkte",
    r"zusammenfassung|(?:los )?puntos clave|en (?:resumen|breve)|claves|lo más importante",
    r"in sintesi|in breve|i punti chiave|(?:os )?pontos?[ -]chave|em resumo|destaques",
    r"in het kort|belangrijkste punten",
)

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
        r"mais lidas|leggi anche|articoli correlati|lees ook|gerelateerd",
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
        r"leggi anche|lees ook",
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
    r"(?:deja|dejar) (?:un comentario|una respuesta)|lascia un commento",
)

_SHARE_VERBS = _any(
    r"share|save|tweet|print|e-?mail|copy(?: link)?|link copied|pin(?: it)?|bookmark|gift|sms|like|listen",
    r"whats ?app|face ?book|twitter|x|linked ?in|reddit|telegram|bluesky|threads|mastodon|pocket|flipboard",
    r"messenger|pinterest|comments?|more|partager|teilen|compartir|drucken|imprimer|imprimir",
)
_SHARE_OBJECTS = _any(r"article|story|page|post|link|facebook|twitter|x|linkedin|whatsapp|e-?mail|friends")
_SHARE = re.compile(
    rf"\W*(?:{_SHARE_VERBS}(?: (?:this|the|on|to|via|by|with)(?: {_SHARE_OBJECTS})*)?[\s,|·•/+&-]*)+\W*",
    re.IGNORECASE,
)

# The beginning of a block, and the most words it may have to be taken for what the beginning says.
_BEGINNINGS: tuple[tuple[str, int], ...] = (
    (r"(?:home(?:page)?|start(?:seite)?|accueil|inicio|início)\s*[>»›/|→·]", 14),
    (r"(?:share|save|print|email) (?:this|the) (?:article|story|page|post)\b", 12),
    # Sign-ups and subscriptions.
    (
        r"(?:sign up|subscribe|register|join)\b.{0,80}\b(?:newsletters?|inbox|e-?mails?|briefing|updates)\b",
        45,
    ),
    (r"(?:sign up|subscribe|register|join)\b.{0,80}\b(?:alerts|mailing list|bulletin|digest)\b", 45),
    (r"(?:get|receive|want)\b.{0,90}\b(?:in|to|into) your (?:inbox|e-?mail|mailbox)\b", 45),
    (r"(?:our|the|this|free|daily|weekly)\b.{0,40}\bnewsletters?\b.{0,60}\b(?:sign|subscri|inbox|here)", 45),
    (r"(?:subscribe|sign up|log ?in|sign in|become a (?:member|subscriber))\b.{0,60}\bto\b", 22),
    (r"(?:abonnez-vous|inscrivez-vous|jetzt (?:abonnieren|anmelden)|suscríbete|inscreva-se)\b", 25),
    (r"want to bookmark\b", 35),
    (r"(?:support|donate to|make a donation to)\b.{0,40}\b(?:journalism|newsroom|us|our work)\b", 40),
    # "Follow us".
    (r"follow (?:us|the story|the latest|our|this|him|her|them|me|@?\w+(?: \w+){0,3} on)\b", 22),
    (r"(?:suivez|folgen sie|síguenos|siga-nos|seguici|volg ons)\b", 18),
    (r"(?:like|find|join|connect with) us on\b", 18),
    (r"(?:click|tap) here\b|(?:download|get) (?:the|our) .{0,40}\bapp\b", 18),
    # Cookies and consent.
    (r"(?:this|our) (?:website|site|page) uses? cookies\b|we (?:and our partners )?use cookies\b", 80),
    (r"(?:accept|reject|manage|allow)(?: all)?(?: cookies| preferences| settings)?\W*$", 5),
    (r"(?:nous utilisons|wir verwenden|utilizamos|usamos|utilizziamo|wij gebruiken)\b.{0,30}\bcookies\b", 80),
    # The comment form.
    (r"your e-?mail address will not be published\b|required fields are marked\b", 25),
    (r"(?:no comments yet|be the first to (?:comment|share)|you must be logged in)\b", 25),
    # Notices, advertisements, ways around them.
    (r"(?:©|copyright\b|\(c\) ?\d{4}).*|.{0,60}\ball rights reserved\b", 40),
    (r"(?:advertisement|sponsored(?: content)?|publicité|anzeige|publicidad)\W*$", 3),
    (
        r"(?:story|article) continues (?:after|below)|continue reading|scroll to continue|skip (?:to|past) ",
        12,
    ),
    (r"the post\b.+\b(?:appeared|was published) first on\b", 60),
    (r"(?:this (?:article|story) (?:was )?(?:first|originally) (?:appeared|published))\b", 35),
    # About the author, and how to write to them.
    (
        r"(?:you can )?(?:reach|contact|e-?mail|write to) (?:him|her|them|the (?:author|writer|reporter))\b",
        30,
    ),
    (r".{0,220}\bfollow (?:him|her|them|\w+(?: \w+)?) (?:at|on|via|@)", 70),
    (r".{0,220}\b(?:he|she|they) (?:can be (?:reached|found)|tweets) (?:at|on|via|@)", 70),
    (r"(?:have (?:a|you got a) (?:tip|story)|got a (?:tip|story)|do you know more)\b", 35),
    # Pictures.
    (
        r"(?:image|photo(?:graph)?|picture|foto|video)(?: ?credits?| ?source| by| courtesy(?: of)?)?\s*[:/©]",
        30,
    ),
    (r".{0,200}\b(?:credit|photo|image|foto)s?: ?.{2,60}$", 45),
)
_COMPILED = tuple((re.compile(rf"\W*(?:{pattern})", re.IGNORECASE), most) for pattern, most in _BEGINNINGS)

# Case matters here: "By Anna Berg" names an author, "by the time" does not.
_BYLINE = re.compile(
    r"\W*"
    + _any(
        r"(?i:by|von|par|por) [A-ZÀ-Þ][^.!?]{1,70}",
        r"(?i:published|posted|updated|last (?:updated|modified)|first published)\b.{0,60}\d.{0,40}",
        r"(?i:publié|veröffentlicht|aktualisiert|publicado|actualizado)\b.{0,60}\d.{0,40}",
        r"\d+ min(?:ute)?s?(?: read)?",
        r"(?i:mon|tues|wednes|thurs|fri|satur|sun)day,? .{0,30}\d{4}.{0,20}",
        r"\d{1,2}\.? \w+ \d{4}(?:,? .{0,15})?|\d{4}-\d{2}-\d{2}.{0,20}",
        r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.? \d{1,2},? \d{4}.{0,25}",
    )
    + r"\W*"
)


def is_takeaways_label(text: str) -> bool:
    """Say whether a line announces the publisher's own summary: "Key Takeaways", "Auf einen Blick"."""
    return len(text) <= 60 and bool(_TAKEAWAYS.fullmatch(text))


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


def is_furniture(text: str) -> bool:
    """Say whether a block is the page's and not the article's: a share bar, a sign-up, a notice."""
    words = word_count(text)
    if not any(char.isalnum() for char in text):
        return True
    if words <= 30 and (_SHARE.fullmatch(text) or _RELATED_LINE.fullmatch(text)):
        return True
    return any(words <= most and pattern.match(text) for pattern, most in _COMPILED)
