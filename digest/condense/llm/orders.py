"""Passages of an article that give orders to a language model instead of telling news.

This is the first of three fences, and a list can be got round: the prompt says that the article is material,
and what comes back must be borne out by the article. A block with such an order is shown to no model, and no
takeaway may rest on it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from digest.domain.articles import Article, Span

_MACHINE = r"(?:A\.?I\.?|LLM|language models?|assistants?|summari[sz]ers?|chat-?bots?|models?)"
_TOLD = r"(?:instructions?|prompts?|rules|directions|guidelines|commands)"
_OPENS = r"(?:^\W*|[.!?:]\s+)"
_ORDERS = (
    rf"\b(?:ignore|disregard|forget|override)\b[^.!?]{{0,40}}\b(?:previous|prior|above|earlier|all|your|system|any)\b"
    rf"[^.!?]{{0,40}}\b{_TOLD}\b",
    rf"\b(?:ignore|disregard|forget|override)\b (?:all |any )?(?:of )?(?:the |these |those |your )?{_TOLD}\b",
    r"\bsystem prompt\b",
    r"\byou are (?:now )?(?:an? |the |my )?(?:\w+ )?(?:AI|assistant|language model|LLM|chat-?bot|DAN)\b",
    rf"{_OPENS}(?:an? |important )?(?:note|message|instructions?|attention)\b[^.!?]{{0,15}}"
    rf"\b(?:to|for)\b[^.!?]{{0,20}}\b{_MACHINE}\b",
    rf"\b(?:if you are|dear|attention,?|hey,?) (?:an? |the |all |any )?(?:\w+ )?{_MACHINE}\b",
    r"\bnew instructions?\s*:",
    r"\b(?:output|print|(?:respond|reply|answer) with)\b[^.!?]{0,30}"
    r"\b(?:takeaways?|summary|JSON|following|only|exactly)\b",
    r"\b(?:write|return|give|list|say) (?:only|just|exactly)\b[^.!?]{0,20}\b(?:this|following|takeaways?)\b",
    r"\b(?:as|in) (?:the|your|its|every|each) (?:\w+ )?(?:takeaways?|summar(?:y|ies))\b",
    r"\bdo not (?:summari[sz]e|mention (?:this|these))\b",
    # What chat templates separate turns with.
    r"<\|[a-z_]+\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user|article|instructions?)>",
    r"^\W*(?:system|assistant|user|human)\s*:",
    # The same first sentence in other languages.
    r"\b(?:ignorier|vergiss|vergesst|missachte|übergeh)\w*\b[^.!?]{0,60}\b(?:anweisung|anleitung|vorgabe|instruktion|prompt)",
    r"\b(?:du bist|sie sind|ihr seid) (?:jetzt |nun )?ein[e]? (?:\w+ )?(?:KI|Sprachmodell|Assistent)",
    r"\b(?:ignore[zr]?|oublie[zr]?)\b[^.!?]{0,60}\b(?:instructions?|consignes?|directives?)\b",
    r"\b(?:ignor[ae]|ignorad|olvid[ae]|olvidad)\b[^.!?]{0,60}\b(?:instrucciones|indicaciones|órdenes)\b",
    r"\b(?:ignora|ignorate|dimentica|dimenticate)\b[^.!?]{0,60}\b(?:istruzioni|indicazioni)\b",
    r"\b(?:ignor[ea]|ignorem|esque[cç]a)\b[^.!?]{0,60}\binstruç(?:ões|ão)\b",
    r"\b(?:negeer|vergeet)\b[^.!?]{0,60}\b(?:instructies|aanwijzingen)\b",
    r"\b(?:z?ignoruj|zapomnij|pomiń)\w*\b[^.!?]{0,60}\b(?:instrukcj|polece)",
)
_ORDER = re.compile("|".join(f"(?:{order})" for order in _ORDERS), re.IGNORECASE)


@lru_cache(maxsize=8)
def find_orders(article: Article) -> tuple[Span, ...]:
    """Return the places of whole blocks in which a language model is addressed, in order."""
    # An article is looked at when it is asked about, when it is extracted from and when an answer is checked.
    return tuple(place for place, block in article.located_blocks() if gives_orders(block.text))


def gives_orders(text: str) -> bool:
    """Tell whether a text addresses a language model. Invisible characters between letters do not hide it."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return _ORDER.search(unicodedata.normalize("NFKC", visible)) is not None
