"""The options that say what a newsletter is, as `digest newsletter add` and `change` take them."""

from __future__ import annotations

import typer

from digest.domain import newsletters as limits

NAME = typer.Option(metavar="NAME", help="The name readers see.")
SENDER = typer.Option("--from", metavar="EMAIL", help="The address mail comes from.")
SENDER_NAME = typer.Option(metavar="NAME", help="The sender's name; without it the newsletter's.")
REPLY_TO = typer.Option(metavar="EMAIL", help="Where answers of readers go; '' for the sender's address.")
POSTAL_ADDRESS = typer.Option(metavar="TEXT", help="Where you can be reached by post: the law asks for it.")
LANGUAGE = typer.Option(metavar="TAG", help="Language of the mail itself, such as en, de or fr-CA.")
TIMEZONE = typer.Option(metavar="ZONE", help="The zone its days are counted in.")
WINDOW_DAYS = typer.Option(
    min=limits.WINDOW_DAYS[0], max=limits.WINDOW_DAYS[1], metavar="N", help="Days an issue covers."
)
MAX_ITEMS = typer.Option(
    min=limits.MAX_ITEMS[0], max=limits.MAX_ITEMS[1], metavar="N", help="Articles in an issue at most."
)
TAKEAWAYS = typer.Option(
    min=limits.TAKEAWAYS[0], max=limits.TAKEAWAYS[1], metavar="N", help="Takeaways of each article at most."
)
TAKEAWAY_WORDS = typer.Option(
    min=limits.TAKEAWAY_WORDS[0],
    max=limits.TAKEAWAY_WORDS[1],
    metavar="N",
    help="Words of each takeaway at most; the publisher's own are left as they are.",
)
TAKEAWAY_STYLE = typer.Option(
    help="What is preferred: simple words, neither judging nor quoted ones, or few."
)
LLM = typer.Option(
    "--llm/--no-llm", help="Have a language model write takeaways: see llm_provider in docs/settings.md."
)
APPROVAL = typer.Option(
    help="Who approves an issue: a person; nobody, unless its checks find errors; or nobody at all, "
    "when it is due."
)
SECOND_EYES = typer.Option(
    "--second-eyes/--one-pair", help="Let nobody approve an issue they changed last or asked for."
)
ARCHIVE = typer.Option(
    "--archive/--no-archive", help="Let everybody read what was sent and will be, on the web and in feeds."
)
SIGN_UP = typer.Option(
    "--sign-up/--no-sign-up",
    help="Let everybody ask for it on a page of its own; they confirm it by mail.",
)
SIGN_UP_ORIGIN = typer.Option(
    "--sign-up-origin",
    metavar="SITE",
    help="A site whose scripts may sign readers up, as in https://www.example.org, or * for all; a plain "
    "form needs none. Repeat it; '' takes all away.",
)
LOCAL_TIME = typer.Option(
    "--local-time/--no-local-time",
    help="Send a scheduled issue at its hour by each reader's own clock.",
)
CADENCE = typer.Option(
    "--cadence",
    metavar="CADENCE",
    help="How often subscribers may choose to get it. Repeat it; every issue is what they get otherwise.",
)
WELCOME = typer.Option("--welcome/--no-welcome", help="Mail whoever subscribes a welcome.")
CLICKS = typer.Option(
    help="What is learned of the links in mails: nothing, or how often each is followed, by whomever."
)
MEASURING = typer.Option(
    help="Whether readers are asked to let it be measured what they open and follow. Of who does not agree "
    "nothing is."
)
QUIET_HOURS = typer.Option(
    metavar="FROM-TO", help="Hours in which no digest leaves, in the newsletter's zone; '' for none."
)
GOODBYE = typer.Option(
    "--goodbye/--no-goodbye",
    help="Mail whoever unsubscribes on its page that they did; the page says so anyway.",
)
