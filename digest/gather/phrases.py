"""The set phrases of news pages, in the languages a few of them are read in: what is furniture, what is not.

Each pattern is matched against one whole block of text, and says at what length it is still believed: a
sentence of an article may contain "read more", a line of its own that begins with it is furniture.
"""

from __future__ import annotations

import re

from digest.gather.plain import word_count

_FLAGS = re.IGNORECASE

TAKEAWAYS = re.compile(
    r"\W*(?:(?:the |our |my )?(?:\w+ )?(?:key|main|top|quick|big|biggest)[ -](?:take-?aways?|points?|facts?"
    r"|findings|insights?|highlights|messages)|(?:the )?take-?aways?|highlights|in (?:brief|short|a nutshell)"
    r"|at a glance|the (?:gist|bottom line|short version)|tl;?dr|what (?:you need )?to know|(?:quick )?summary"
    r"|(?:the )?essentials|bullet points|(?:article|story) highlights"
    r"|les points (?:clés|essentiels)|(?:l['’])?essentiel|en (?:bref|résumé)|ce qu['’]il faut (?:retenir|savoir)"
    r"|à retenir|das wichtigste(?: in kürze)?|auf einen blick|kurz (?:zusammengefasst|und knapp)|kernpunkte"
    r"|zusammenfassung|(?:los )?puntos clave|en (?:resumen|breve)|claves|lo más importante|in sintesi|in breve"
    r"|i punti chiave|(?:os )?pontos?[ -]chave|em resumo|destaques|in het kort|belangrijkste punten)\W*",
    _FLAGS,
)

_RELATED_WORDS = (
    r"also (?:on|in|from|read)\b|read (?:more|next|also|on)\b|related\b|see also\b|more (?:from|on|in|about|like)\b"
    r"|(?:you (?:may|might) (?:also )?(?:like|enjoy)|recommended|editor['’]?s['’]? picks?|don['’]t miss|most"
    r" (?:read|popular|viewed|shared)|trending|popular (?:now|stories|posts)|top stories|up next|further reading"
    r"|latest (?:news|stories|posts|from)|in case you missed it|other stories|keep reading|next article)\b"
    r"|lire aussi\b|à lire (?:aussi|également)|sur le même (?:sujet|thème)|articles? (?:liés|similaires|associés)"
    r"|les plus lus|lesen sie (?:auch|mehr)|mehr zum thema|auch interessant|das könnte sie|verwandte (?:artikel|themen)"
    r"|meistgelesen|le[ae] también|(?:artículos|noticias) relacionad[ao]s|te puede interesar|lo más (?:leído|visto)"
    r"|leia (?:também|mais)|veja também|mais lidas|leggi anche|articoli correlati|lees ook|gerelateerd"
)
RELATED = re.compile(rf"\W*(?:{_RELATED_WORDS})[^.!?]*\W*", _FLAGS)
_RELATED_LINE = re.compile(
    r"\W*(?:read (?:more|next|also)|related(?: (?:stor\w+|articles?|content|links?))?|see also|also read|more on this"
    r"|watch(?: (?:now|below|live|more))?|listen(?: (?:now|to))?|video|gallery|don['’]t miss|must read|up next"
    r"|lire aussi|à lire aussi|lesen sie auch|mehr zum thema|lea también|leia também|leggi anche|lees ook)\s*[:|›»–-].+",
    _FLAGS,
)

COMMENTS = re.compile(
    r"\W*(?:(?:\d+ |no |view |show |read |join the |all |latest |add |post |leave )?(?:your |a |the |all )*"
    r"(?:comments?(?: section| policy)?|conversation|discussion)(?: \(\d+\)| \d+)?|(?:leave|write|post) a (?:reply|comment|response)"
    r"|\d+ (?:responses|replies|thoughts on .*)|cancel reply|join our commenting forum|what do you think\?"
    r"|(?:laisser|ajouter|écrire) un commentaire|(?:\d+ )?commentaires?|(?:\d+ )?kommentare?|kommentar (?:schreiben|verfassen)"
    r"|schreiben sie einen kommentar|(?:deja|dejar) (?:un comentario|una respuesta)|(?:\d+ )?comentarios?"
    r"|deixe um comentário|lascia un commento|(?:\d+ )?commenti|(?:\d+ )?reacties|plaats een reactie)\W*",
    _FLAGS,
)

_SHARE = re.compile(
    r"\W*(?:(?:share|save|tweet|print|e-?mail|copy(?: link)?|link copied|pin(?: it)?|whats ?app|face ?book|twitter|x"
    r"|linked ?in|reddit|telegram|bluesky|threads|mastodon|pocket|flipboard|messenger|pinterest|bookmark|gift|sms"
    r"|like|listen|comments?|partager|teilen|compartir|drucken|imprimer|imprimir|more)(?: (?:this|the|on|to|via|by|with)"
    r"(?: (?:article|story|page|post|link|facebook|twitter|x|linkedin|whatsapp|e-?mail|friends))*)?[\s,|·•/+&-]*)+\W*",
    _FLAGS,
)

# (pattern, most words a block may have to be taken for it)
_LINES: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(rf"\W*(?:{pattern})", _FLAGS), most_words)
    for pattern, most_words in (
        (
            r"(?:sign up|subscribe|register|join)\b.{0,80}\b(?:newsletters?|inbox|e-?mails?|briefing|updates|alerts"
            r"|mailing list|bulletin|digest)\b",
            45,
        ),
        (r"(?:get|receive|want)\b.{0,90}\b(?:in|to|into) your (?:inbox|e-?mail|mailbox)\b", 45),
        (r"(?:our|the|this|free|daily|weekly)\b.{0,40}\bnewsletters?\b.{0,60}\b(?:sign|subscri|inbox|here)", 45),
        (r"(?:subscribe|sign up|log ?in|sign in|register|become a (?:member|subscriber))\b.{0,60}\bto\b", 22),
        (r"(?:abonnez-vous|inscrivez-vous|jetzt (?:abonnieren|anmelden)|newsletter|suscríbete|inscreva-se)\b", 25),
        (r"want to bookmark\b", 35),
        (r"follow (?:us|the story|the latest|our|this|him|her|them|me|@?\w+(?: \w+){0,3} on)\b", 22),
        (r"(?:suivez|folgen sie|síguenos|siga-nos|seguici|volg ons)\b", 18),
        (r"(?:like|find|join|connect with) us on\b", 18),
        (r"(?:this|our) (?:website|site|page) uses? cookies\b|we (?:and our partners )?use cookies\b", 80),
        (r"(?:accept|reject|manage|allow)(?: all)?(?: cookies| preferences| settings)?\W*$", 5),
        (r"(?:nous utilisons|wir verwenden|utilizamos|usamos|utilizziamo|wij gebruiken)\b.{0,30}\bcookies\b", 80),
        (r"your e-?mail address will not be published\b|required fields are marked\b", 25),
        (r"(?:no comments yet|be the first to (?:comment|share)|you must be logged in)\b", 25),
        (r"(?:©|copyright\b|\(c\) ?\d{4}).*", 40),
        (r".{0,60}\ball rights reserved\b", 40),
        (r"(?:advertisement|sponsored(?: content)?|publicité|anzeige|publicidad|story continues below.*|"
         r"article continues (?:after|below).*|continue reading.*|scroll to continue.*|skip (?:to|past) .*)\W*$", 12),
        (r"the post\b.+\b(?:appeared|was published) first on\b", 60),
        (r"(?:click|tap) here\b", 18),
        (r"(?:download|get) (?:the|our) .{0,40}\bapp\b", 18),
        (r"(?:you can )?(?:reach|contact|e-?mail|write to) (?:him|her|them|the (?:author|writer|reporter))\b", 30),
        (r".{0,220}\b(?:follow (?:him|her|them|\w+(?: \w+)?)|(?:he|she|they) (?:can be (?:reached|found)|tweets))"
         r" (?:at|on|via|@)", 70),
        (r"(?:support|donate to|make a donation to)\b.{0,40}\b(?:journalism|newsroom|us|our work)\b", 40),
        (r"(?:image|photo|picture|foto|photograph|video)(?: ?credits?| ?source| by| courtesy(?: of)?)?\s*[:/©]", 30),
        (r".{0,200}\b(?:credit|photo|image|foto)s?: ?.{2,60}$", 45),
        (r"(?:have (?:a|you got a) (?:tip|story)|got a (?:tip|story)|do you know more)\b", 35),
        (r"(?:this (?:article|story) (?:was )?(?:first|originally) (?:appeared|published))\b", 35),
    )
)  # fmt: skip

_BY_LINE = re.compile(
    r"\W*(?:(?:by|von|par|por) [A-ZÀ-Þ][^.!?]{1,70}|(?:published|posted|updated|last (?:updated|modified)|first published"
    r"|publié|veröffentlicht|aktualisiert|publicado|actualizado)\b.{0,60}\d.{0,40}|\d+ min(?:ute)?s?(?: read)?"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day,? .{0,30}\d{4}.{0,20}|\d{1,2}\.? \w+ \d{4}(?:,? .{0,15})?"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\.? \d{1,2},? \d{4}.{0,25}|\d{4}-\d{2}-\d{2}.{0,20})\W*"
)  # fmt: skip


def is_takeaways_label(text: str) -> bool:
    """Say whether a line announces the publisher's own summary: "Key Takeaways", "Auf einen Blick"."""
    return len(text) <= 60 and bool(TAKEAWAYS.fullmatch(text))


def is_related_label(text: str) -> bool:
    """Say whether a line leads in links to other articles: "Also on Horizon:", "Lire aussi"."""
    return word_count(text) <= 9 and bool(RELATED.fullmatch(text)) and not is_takeaways_label(text)


def is_comments_label(text: str) -> bool:
    """Say whether a line opens the comments, after which nothing is the article's."""
    return word_count(text) <= 8 and bool(COMMENTS.fullmatch(text))


def is_byline(text: str) -> bool:
    """Say whether a line names only the author, the day, or the minutes to read."""
    return word_count(text) <= 16 and bool(_BY_LINE.fullmatch(text))


def is_furniture(text: str) -> bool:
    """Say whether a block is the page's and not the article's: a share bar, a sign-up, a notice, a promotion."""
    words = word_count(text)
    if not any(char.isalnum() for char in text):
        return True
    if words <= 30 and (_SHARE.fullmatch(text) or _RELATED_LINE.fullmatch(text)):
        return True
    return any(words <= most and pattern.match(text) for pattern, most in _LINES)
