"""What publishers set between the points of their summaries: ways on, sign-ups, share links, how it was made.

`furniture_of` knows most of it. Between points a line may be believed on less, since none of them begins with
"Read on here"; but it may begin with "Read more than once, the contract …", so what follows counts too.
"""

from __future__ import annotations

import re

from digest.gather.pages.boilerplate import furniture_of
from digest.gather.pages.phrases import is_related_label
from digest.gather.plain import word_count

_WORDS_MOST = 30
_FURNITURE = frozenset(
    {
        "navigation",
        "share bar",
        "newsletter box",
        "subscription",
        "follow us",
        "cookie notice",
        "advertisement",
        "related links",
    }
)
# What may follow "more" where it leads on: nothing, a mark, or what there is more on.
_ON = (
    r"(?=\W*$|\s*[:|›»–-]|\s(?:about|on|in|from|here|now|über|zu[mr]?|dazu|hier|auf|sur|ici|dans|sobre|en|aquí|su"
    r"|qui|su[il]\w*|em|no|na|aqui|over|op|hier|o|na|tutaj)\b)"
)
_NETWORK = r"\b.{0,20}\b(?:facebook|x|twitter|whatsapp|linkedin|mastodon|bluesky|reddit|telegram|threads)"
_BEGINNINGS = (
    # English
    r"(?:read|find out|learn|see|discover) (?:more|all)\b" + _ON,
    r"(?:read|see|get) (?:the|our) (?:full|whole|complete)\b|read (?:on|also|next)\b" + _ON,
    r"(?:click|tap|listen|watch)\b.{0,20}\b(?:here|now|below)\b",
    r"share (?:this|on|via)\b|(?:this|the) (?:ai )?summary (?:was|is|has been) (?:\w+ly )?"
    r"(?:generated|written|created|made|produced|compiled|edited)\b",
    r"(?:ai-generated|generated (?:by|with)|summari[sz]ed by)\b",
    # German
    r"(?:hier |jetzt )?(?:weiterlesen|mehr lesen|mehr erfahren|mehr dazu)\b" + _ON,
    r"lesen sie (?:auch|hier|mehr|den|die|dazu)\b|diese zusammenfassung (?:wurde|ist)\b",
    r"(?:artikel|beitrag|jetzt) teilen\b|teilen sie\b.{0,40}$|teilen (?:auf|per|via)\b",
    r"(?:auf|per|via) .{2,20} teilen$",
    # French
    r"(?:lire|voir) (?:la suite|aussi|également|plus)\b" + _ON + r"|à (?:lire|voir) (?:aussi|également)\b",
    r"(?:pour )?en savoir plus\b" + _ON + r"|partage[rz] (?:sur|cet|cette|l['’])|ce résumé (?:a été|est)\b",
    # Spanish
    r"(?:leer|lee|lea|ver|vea) (?:más|también)\b" + _ON + r"|te puede interesar\b",
    r"compart(?:e|ir|a) (?:en|por|este|esta)\b|este resumen (?:ha sido|fue|es)\b",
    # Italian
    r"leggi (?:anche|tutto|di più|l['’]articolo)\b|(?:per )?saperne di più\b" + _ON,
    r"condividi (?:su|questo|questa|l['’])|questo riassunto (?:è|e['’])",
    # Portuguese
    r"(?:leia|ler|saiba|veja) (?:mais|também)\b"
    + _ON
    + r"|(?:com)?partilh(?:e|ar) (?:no|na|em|est[ea]|via)\b",
    r"este resumo (?:foi|é)\b",
    # Dutch
    r"lees (?:ook|meer|verder|hier)\b" + _ON + r"|deel (?:dit|op|via)\b|deze samenvatting (?:is|werd)\b",
    # Polish
    r"(?:czytaj|przeczytaj|zobacz) (?:także|też|również|więcej|dalej)\b" + _ON,
    r"udostępnij\b.{0,40}$|(?:to|niniejsze) podsumowanie (?:zostało|jest)\b",
    # sign-ups
    r"(?:zapisz się|melde? dich|melden sie sich|abonnier\w+|abonne[rz]\b|abonne-toi|inscri[sv]\w*"
    r"|suscr[ií]b\w+|apúntate|regístrate|abbonati|assine|subscreva|abonneer|schrijf je|meld je|ontvang)\b"
    r".{0,60}(?:newsletter|nieuwsbrief|infolettre|lettre|bolet[ií]n|boletim|rundbrief|biuletyn)",
    r"(?:jetzt |hier |unseren )*newsletter (?:jetzt |hier )*(?:abonnieren|bestellen)\W*$",
    r"(?:share|teilen|partager|compartir|condividi|compartilhar|delen|udostępnij)" + _NETWORK,
)
_PROMOTION = re.compile(rf"\W*(?:{'|'.join(f'(?:{beginning})' for beginning in _BEGINNINGS)})", re.IGNORECASE)


def is_promotion(line: str) -> bool:
    """Say whether a line between points leads elsewhere: to other articles, a newsletter, a network."""
    if word_count(line) > _WORDS_MOST:
        return False
    is_way_on = not line.endswith(".") and is_related_label(line)
    return is_way_on or bool(_PROMOTION.match(line)) or furniture_of(line) in _FURNITURE
