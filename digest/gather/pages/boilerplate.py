"""The set phrases of a news page's furniture, in the languages most are read in.

Each pattern is matched against one whole block of text and believed only up to a length in words: a sentence
of an article may speak of a newsletter, a short block that begins with "Sign up for our" is furniture.
"""

from __future__ import annotations

import re

from digest.gather.pages.phrases import is_related_line
from digest.gather.plain import word_count

# A share bar is a line of these words only, one of the first kind in front.
_SHARE_VERBS = frozenset(
    re.findall(
        r"\S+",
        """
        share save tweet print email e-mail copy pin bookmark gift sms like listen whatsapp facebook x
        twitter linkedin reddit telegram bluesky threads mastodon pocket flipboard messenger pinterest
        comment comments more partager teilen compartir condividi partilhar delen dela udostępnij drucken
        imprimer imprimir stampa guardar speichern merken enregistrer
        """,
    )
)
_SHARE_REST = _SHARE_VERBS | frozenset(
    re.findall(
        r"\S+", "this the on to via by with it link copied article story page post friends app sur auf en"
    )
)
_SHARE_WORD = re.compile(r"[\w-]+")

# What a block is by how it begins, and the most words it may have to be believed.
_BEGINNINGS: dict[str, tuple[tuple[str, int], ...]] = {
    "navigation": (
        (r"(?:home(?:page)?|start(?:seite)?|accueil|inicio|início)\s*[>»›/|→·]", 14),
        (
            r"(?:story|article) continues (?:after|below)|continue reading|scroll to continue"
            r"|skip (?:to|past) ",
            12,
        ),
        (r"(?:click|tap) here\b|(?:download|get) (?:the|our) .{0,40}\bapp\b", 18),
    ),
    "share bar": ((r"(?:share|save|print|email) (?:this|the) (?:article|story|page|post)\b", 12),),
    "newsletter box": (
        (
            r"(?:sign up|subscribe|register|join)\b.{0,80}\b"
            r"(?:newsletters?|inbox|e-?mails?|briefing|updates|alerts|mailing list|bulletin|digest)\b",
            45,
        ),
        (r"(?:get|receive|want)\b.{0,90}\b(?:in|to|into) your (?:inbox|e-?mail|mailbox)\b", 45),
        (
            r"(?:our|the|this|free|daily|weekly)\b.{0,40}\bnewsletters?\b.{0,60}\b(?:sign|subscri"
            r"|inbox|here)",
            45,
        ),
        (r"want to bookmark\b", 35),
        (
            r"(?:abonnez-vous|inscrivez-vous|recevez|jetzt (?:abonnieren|anmelden)|melden sie sich"
            r"|abonnieren sie"
            r"|suscr[íi]bete|ap[úu]ntate|reciba?|inscreva-se|assine|receba|iscriviti|ricevi"
            r"|meld je aan|schrijf je in"
            r"|prenumerera|anmäl dig|tilmeld dig|meld deg på|zapisz się)\b.{0,90}"
            r"(?:newsletters?|lettre|infolettre|bolet[íi]n|boletim|nyhets?brev|nyhedsbrev|nieuwsbrief"
            r"|rundbrief)",
            45,
        ),
        (r"(?:abonnez-vous|inscrivez-vous|jetzt (?:abonnieren|anmelden)|suscríbete|inscreva-se)\b", 25),
    ),
    "subscription": (
        (r"(?:subscribe|sign up|log ?in|sign in|become a (?:member|subscriber))\b.{0,60}\bto\b", 22),
        (r"(?:support|donate to|make a donation to)\b.{0,40}\b(?:journalism|newsroom|us|our work)\b", 40),
        (r"(?:already a subscriber|déjà abonné|bereits abonnent|¿ya eres suscriptor|sei già abbonato)\b", 18),
    ),
    "follow us": (
        (r"follow (?:us|the story|the latest|our|this|him|her|them|me|@?\w+(?: \w+){0,3} on)\b", 22),
        (r"(?:suivez|folgen sie|síguenos|siga-nos|seguici|volg ons|följ oss|følg os|obserwuj nas)\b", 18),
        (r"(?:like|find|join|connect with) us on\b", 18),
    ),
    "cookie notice": (
        (r"(?:this|our) (?:website|site|page) uses? cookies\b|we (?:and our partners )?use cookies\b", 80),
        (r"(?:accept|reject|manage|allow)(?: all)?(?: cookies| preferences| settings)?\W*$", 5),
        (
            r"(?:nous utilisons|ce site utilise|wir verwenden|wir nutzen"
            r"|diese (?:web)?se?ite (?:verwendet|nutzt)"
            r"|utilizamos|usamos|este sitio (?:web )?(?:usa|utiliza)|este site (?:usa|utiliza)|utilizziamo"
            r"|questo sito (?:usa|utilizza)|wij gebruiken|deze (?:web)?site gebruikt|vi använder"
            r"|vi bruger|vi bruker"
            r"|używamy)\b.{0,40}\b(?:cookies?|ciasteczek|kakor)\b",
            80,
        ),
    ),
    "comments": (
        (r"your e-?mail address will not be published\b|required fields are marked\b", 25),
        (r"(?:no comments yet|be the first to (?:comment|share)|you must be logged in)\b", 25),
    ),
    "advertisement": (
        (r"(?:advertisement|sponsored(?: content)?|publicité|anzeige|werbung|publicidad|publicidade)\W*$", 3),
        (r"(?:pubblicità|advertentie|annons|annonce|reklama)\W*$", 3),
    ),
    "notice": (
        (r"(?:©|copyright\b|\(c\) ?\d{4}).*|.{0,60}\ball rights reserved\b", 40),
        (r"the post\b.+\b(?:appeared|was published) first on\b", 60),
        (r"(?:this (?:article|story) (?:was )?(?:first|originally) (?:appeared|published))\b", 35),
        (r"(?:our|editorial) (?:standards|guidelines|policies|code of conduct)\s*[:|–-]", 14),
    ),
    "about the author": (
        (
            r"(?:you can )?(?:reach|contact|e-?mail|write to) (?:him|her|them|the (?:author|writer"
            r"|reporter))\b",
            30,
        ),
        (r".{0,220}\bfollow (?:him|her|them|\w+(?: \w+)?) (?:at|on|via|@)", 70),
        (r".{0,220}\b(?:he|she|they) (?:can be (?:reached|found)|tweets) (?:at|on|via|@)", 70),
        (r"(?:have (?:a|you got a) (?:tip|story)|got a (?:tip|story)|do you know more)\b", 35),
    ),
    "picture credit": (
        (
            r"(?:image|photo(?:graph)?|picture|foto|video|bild|imagen|crédits?)"
            r"(?: ?credits?| ?source| by| courtesy(?: of)?)?\s*[:/©]",
            30,
        ),
        (r".{0,200}\b(?:credit|photo|image|foto)s?: ?.{2,60}$", 45),
    ),
}
_COMPILED = tuple(
    (what, re.compile(rf"\W{{0,40}}(?:{pattern})", re.IGNORECASE), most)
    for what, patterns in _BEGINNINGS.items()
    for pattern, most in patterns
)

_READ_ON = re.compile(
    r"(?:subscri\w+|sign (?:in|up)|log ?in|register|become a (?:member|subscriber))\b.{0,60}\bto"
    r" (?:(?:continue|keep|finish|go on) reading|read (?:on|the (?:full|rest|whole)|this|more"
    r"|it in full)|unlock|access)"
    r"|(?:continue|keep) reading\b.{0,40}\b(?:subscription|subscri\w+|for (?:free|only|just))"
    r"|(?:this|the full|the rest of (?:this|the)) (?:article|story|content|post)\b.{0,40}"
    r"\b(?:(?:for|to|only) (?:our |paying |paid )?(?:subscribers|members)|subscriber-only|members only)"
    r"|\b(?:only for|for) (?:paying |paid )?subscribers only\W*$|already a (?:subscriber|member)\?"
    r"|(?:il vous )?reste à lire|la suite est réservée|réservé(?:e|s)? (?:aux|à nos) abonn"
    r"|abonnez-vous pour (?:lire|continuer)"
    r"|pour (?:lire la suite|poursuivre (?:votre|la) lecture).{0,40}abonn|déjà abonné"
    r"|(?:weiter|alles|artikel|vollständig) ?lesen (?:mit|im) .{0,30}\b(?:abo|plus|\w+\+)"
    r"|nur für abonnent|bereits abonnent"
    r"|(?:dieser|den ganzen|diesen) (?:artikel|text|beitrag)\b.{0,60}\b(?:abonnent|abo"
    r"|kostenpflichtig|freischalten)"
    r"|suscr[íi]b(?:ete|ase|irse)\b.{0,40}\bpara (?:seguir|continuar|leer)|(?:exclusivo"
    r"|solo) para (?:nuestros )?suscriptores"
    r"|para (?:seguir|continuar) leyendo|¿ya (?:eres|es) suscriptor|assine para (?:continuar|ler)"
    r"|(?:exclusivo|exclusiva|só) para (?:assinantes|subscritores)|para continuar (?:a ler|lendo)"
    r"|já (?:é|sou) assinante"
    r"|abbonati per (?:continuare|leggere)|(?:contenuto|articolo) riservat[oi] agli abbonati"
    r"|per continuare a leggere"
    r"|sei già abbonato|(?:alleen|exclusief) voor abonnees|(?:abonneer"
    r"|neem een abonnement)\b.{0,30}\bom (?:verder|dit)"
    r"|lees (?:verder|dit artikel) (?:met|voor)|(?:för|endast för) prenumeranter|prenumerera för att läsa"
    r"|(?:kun )?for abonnenter|kun for abonnenter|(?:dalsza część|tylko) (?:artykułu )?(?:dla"
    r"|jest dostępna dla)"
    r" (?:prenumeratorów|subskrybentów)|aby (?:czytać dalej|przeczytać całość)",
    re.IGNORECASE,
)
_SUBSCRIBE = re.compile(
    r"subscri|\babon|\babbon|suscr|assin(?:e|ar|ante)|prenum|subskry|premium|\bmembers?\b", re.IGNORECASE
)


def furniture_of(text: str) -> str:
    """Return what piece of the page a block is ("share bar", "newsletter box"), '' for the article's text."""
    words = word_count(text)
    if not any(char.isalnum() for char in text):
        return "no words"
    if words <= 30 and _is_share_bar(text):
        return "share bar"
    if is_related_line(text):
        return "related links"
    return next((what for what, pattern, most in _COMPILED if words <= most and pattern.match(text)), "")


def invites_to_subscribe(text: str, *, in_wall: bool = False) -> bool:
    """Say whether a line asks to subscribe in order to read on.

    `in_wall`: it stands in a box that the page calls a paywall, where any word of subscribing is that.
    """
    return bool(_READ_ON.search(text)) or (in_wall and bool(_SUBSCRIBE.search(text)))


def _is_share_bar(text: str) -> bool:
    words = _SHARE_WORD.findall(
        text.casefold().replace("whats app", "whatsapp").replace("face book", "facebook")
    )
    return bool(words) and words[0] in _SHARE_VERBS and all(word in _SHARE_REST for word in words)
