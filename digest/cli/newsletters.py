"""`digest newsletter`: a publication, its identity and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from digest.cli import newsletter_options as options
from digest.cli.arguments import Slug, Yes, decided_by
from digest.cli.lazy import examples, new_app
from digest.cli.newsletter_theme import EXAMPLES, theme, theme_in_words
from digest.cli.opening import open_runtime
from digest.cli.output import JsonOption, confirm, say, show_json, show_record, show_table
from digest.domain.articles import Style
from digest.domain.cadences import Cadence
from digest.domain.clicks import Clicks
from digest.domain.counting import counted
from digest.domain.errors import InvalidInput
from digest.domain.measuring import Measuring
from digest.domain.newsletters import Approval, Newsletter
from digest.pipeline.managing import newsletters as managing
from digest.runtime import Runtime
from digest.store.database import reading
from digest.store.newsletters import get_newsletter, list_newsletters

app = new_app()


@app.command(
    epilog=examples(
        "digest newsletter add harbour-week --name 'The Harbour Week' \\",
        "    --from editors@example.org --postal-address '1 Quay Street, Harbour City' \\",
        "    --timezone Europe/Lisbon",
    )
)
def add(
    slug: Slug,
    name: Annotated[str, options.NAME],
    sender: Annotated[str, options.SENDER],
    postal_address: Annotated[str, options.POSTAL_ADDRESS],
    sender_name: Annotated[str, options.SENDER_NAME] = "",
    reply_to: Annotated[str, options.REPLY_TO] = "",
    language: Annotated[str, options.LANGUAGE] = "en",
    timezone: Annotated[str, options.TIMEZONE] = "UTC",
    window_days: Annotated[int, options.WINDOW_DAYS] = 7,
    max_items: Annotated[int, options.MAX_ITEMS] = 30,
    takeaways: Annotated[int, options.TAKEAWAYS] = 3,
    takeaway_words: Annotated[int, options.TAKEAWAY_WORDS] = 35,
    takeaway_style: Annotated[Style, options.TAKEAWAY_STYLE] = Style.NEUTRAL,
    llm: Annotated[bool, options.LLM] = False,
    approval: Annotated[Approval, options.APPROVAL] = Approval.MANUAL,
    second_eyes: Annotated[bool, options.SECOND_EYES] = False,
    welcome: Annotated[bool, options.WELCOME] = False,
    goodbye: Annotated[bool, options.GOODBYE] = False,
    archive: Annotated[bool, options.ARCHIVE] = False,
    local_time: Annotated[bool, options.LOCAL_TIME] = False,
    cadence: Annotated[list[Cadence] | None, options.CADENCE] = None,
    quiet_hours: Annotated[str, options.QUIET_HOURS] = "",
    clicks: Annotated[Clicks, options.CLICKS] = Clicks.OFF,
    measuring: Annotated[Measuring, options.MEASURING] = Measuring.OFF,
    sign_up: Annotated[bool, options.SIGN_UP] = True,
    sign_up_origin: Annotated[list[str] | None, options.SIGN_UP_ORIGIN] = None,
) -> None:
    """Add a newsletter."""
    runtime = open_runtime()
    newsletter = managing.add(
        runtime,
        {
            "slug": slug,
            "name": name,
            "sender_email": sender,
            "sender_name": sender_name,
            "reply_to": reply_to,
            "postal_address": postal_address,
            "language": language,
            "timezone": timezone,
            "window_days": window_days,
            "max_items": max_items,
            "takeaways": takeaways,
            "takeaway_words": takeaway_words,
            "takeaway_style": takeaway_style,
            "llm": llm,
            "approval": approval,
            "second_eyes": second_eyes,
            "welcome": welcome,
            "goodbye": goodbye,
            "archive": archive,
            "local_time": local_time,
            "cadences": cadence or [Cadence.EVERY],
            "quiet_hours": quiet_hours,
            "clicks": clicks,
            "measuring": measuring,
            "sign_up": sign_up,
            "sign_up_origins": sign_up_origin or (),
        },
        by=decided_by(""),
        called=_option,
    )
    _tell_without_model(runtime, newsletter)
    say(
        f"Added {newsletter.name}. Next: its topics ('digest topic add {slug} …'), then its sources "
        f"('digest source add {slug} …')."
    )


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the newsletters."""
    with reading(open_runtime().engine) as session:
        found = list_newsletters(session)
    if as_json:
        show_json(found)
        return
    show_table(
        ("short name", "name", "from", "zone", "takeaways", "approval"),
        [(n.slug, n.name, n.sender_email, n.timezone, _takeaways_in_short(n), n.approval) for n in found],
        empty="No newsletter yet: add one with 'digest newsletter add'.",
    )


@app.command()
def show(slug: Slug, as_json: JsonOption = False) -> None:
    """Show one newsletter."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
    if as_json:
        show_json(newsletter)
        return
    rows = [
        ("name", newsletter.name),
        ("from", f"{newsletter.sender_name} <{newsletter.sender_email}>"),
        ("answers go to", newsletter.reply_to or newsletter.sender_email),
        ("postal address", newsletter.postal_address),
        ("language, zone", f"{newsletter.language}, {newsletter.timezone}"),
        (
            "an issue covers",
            f"{counted(newsletter.window_days, 'day')}, at most {counted(newsletter.max_items, 'article')}",
        ),
        ("takeaways", _takeaways_in_words(newsletter)),
        (
            "approval",
            f"{newsletter.approval}, by a second pair of eyes"
            if newsletter.second_eyes
            else newsletter.approval,
        ),
        ("leaves", "at its hour by each reader's clock" if newsletter.local_time else "at once"),
        ("cadences", ", ".join(newsletter.cadences)),
        ("public archive", runtime.archive_url(newsletter) if newsletter.archive else "none"),
        ("sign-up page", runtime.sign_up_url(newsletter) if newsletter.sign_up else "none"),
        ("sites that sign up", ", ".join(newsletter.sign_up_origins) or "plain forms only"),
        ("mail", theme_in_words(newsletter.theme)),
        ("letters", _letters_in_words(newsletter)),
        ("quiet hours", newsletter.quiet_hours or "none"),
        ("clicks", newsletter.clicks.in_words),
        ("opens and clicks by name", newsletter.measuring.in_words),
    ]
    show_record(newsletter.slug, rows)


def _letters_in_words(newsletter: Newsletter) -> str:
    wanted = {"welcome": newsletter.welcome, "goodbye": newsletter.goodbye}
    return ", ".join(name for name, is_wanted in wanted.items() if is_wanted) or "none by themselves"


def _takeaways_in_words(newsletter: Newsletter) -> str:
    writer = "written by a language model" if newsletter.llm else "extracted"
    return (
        f"{newsletter.takeaways} of each article at most, {newsletter.takeaway_words} words each, "
        f"{newsletter.takeaway_style}; {writer} where the publisher has none"
    )


def _takeaways_in_short(newsletter: Newsletter) -> str:
    model = ", llm" if newsletter.llm else ""
    return f"{newsletter.takeaways} × {newsletter.takeaway_words} words, {newsletter.takeaway_style}{model}"


@app.command(
    epilog=examples(
        "digest newsletter change harbour-week --takeaways 4 --takeaway-words 25 --takeaway-style brief",
        "digest newsletter change harbour-week --llm",
        "digest newsletter change harbour-week --archive",
        "digest newsletter change harbour-week --quiet-hours 22:00-07:00",
        "digest newsletter change harbour-week --clicks counted",
        "digest newsletter change harbour-week --measuring asked",
    )
)
def change(
    slug: Slug,
    name: Annotated[str | None, options.NAME] = None,
    sender: Annotated[str | None, options.SENDER] = None,
    sender_name: Annotated[str | None, options.SENDER_NAME] = None,
    reply_to: Annotated[str | None, options.REPLY_TO] = None,
    postal_address: Annotated[str | None, options.POSTAL_ADDRESS] = None,
    language: Annotated[str | None, options.LANGUAGE] = None,
    timezone: Annotated[str | None, options.TIMEZONE] = None,
    window_days: Annotated[int | None, options.WINDOW_DAYS] = None,
    max_items: Annotated[int | None, options.MAX_ITEMS] = None,
    takeaways: Annotated[int | None, options.TAKEAWAYS] = None,
    takeaway_words: Annotated[int | None, options.TAKEAWAY_WORDS] = None,
    takeaway_style: Annotated[Style | None, options.TAKEAWAY_STYLE] = None,
    llm: Annotated[bool | None, options.LLM] = None,
    approval: Annotated[Approval | None, options.APPROVAL] = None,
    second_eyes: Annotated[bool | None, options.SECOND_EYES] = None,
    welcome: Annotated[bool | None, options.WELCOME] = None,
    goodbye: Annotated[bool | None, options.GOODBYE] = None,
    archive: Annotated[bool | None, options.ARCHIVE] = None,
    local_time: Annotated[bool | None, options.LOCAL_TIME] = None,
    cadence: Annotated[list[Cadence] | None, options.CADENCE] = None,
    quiet_hours: Annotated[str | None, options.QUIET_HOURS] = None,
    clicks: Annotated[Clicks | None, options.CLICKS] = None,
    measuring: Annotated[Measuring | None, options.MEASURING] = None,
    sign_up: Annotated[bool | None, options.SIGN_UP] = None,
    sign_up_origin: Annotated[list[str] | None, options.SIGN_UP_ORIGIN] = None,
) -> None:
    """Change who mail comes from, what an issue holds and which letters go out; what is not named stays.

    How takeaways are put holds for new articles. The zone stays as it is once there are issues.
    """
    given: dict[str, object] = {
        "name": name,
        "sender_email": sender,
        "sender_name": sender_name,
        "reply_to": reply_to,
        "postal_address": postal_address,
        "language": language,
        "timezone": timezone,
        "window_days": window_days,
        "max_items": max_items,
        "takeaways": takeaways,
        "takeaway_words": takeaway_words,
        "takeaway_style": takeaway_style,
        "llm": llm,
        "approval": approval,
        "second_eyes": second_eyes,
        "welcome": welcome,
        "goodbye": goodbye,
        "archive": archive,
        "local_time": local_time,
        "cadences": cadence or None,
        "quiet_hours": quiet_hours,
        "clicks": clicks,
        "measuring": measuring,
        "sign_up": sign_up,
        "sign_up_origins": [one for one in sign_up_origin if one] if sign_up_origin is not None else None,
    }
    wanted = {field: value for field, value in given.items() if value is not None}
    if not wanted:
        raise InvalidInput("nothing to change: name what is to be, such as --takeaways 4")
    runtime = open_runtime()
    changed = managing.change(runtime, slug, lambda _: wanted, by=decided_by(""), called=_option)
    say(f"Changed {changed.newsletter.name}.")
    _tell_changed(runtime, changed.newsletter, wanted)


def _option(field: str) -> str:
    """Return what a field is called on the command line."""
    return _OPTIONS.get(field, f"--{field.replace('_', '-')}")


_OPTIONS = {
    "slug": "the short name",
    "sender_email": "--from",
    "cadences": "--cadence",
    "sign_up_origins": "--sign-up-origin",
}


def _tell_changed(runtime: Runtime, newsletter: Newsletter, wanted: Mapping[str, object]) -> None:
    """Say what a change means for those whom it concerns."""
    if wanted.get("archive") is True:
        say(
            f"Everybody may read what was sent and will be, at {runtime.archive_url(newsletter)}: let your "
            "proxy pass on /archive/. 'digest issue hide ISSUE' takes something out."
        )
    if wanted.get("archive") is False:
        say("What was sent is shown to nobody any more; readers keep their own copies online.")
    if wanted.get("sign_up") is True:
        say(
            f"Everybody may ask for it at {runtime.sign_up_url(newsletter)}: let your proxy pass on "
            f"/subscribe/ and /confirm/. {runtime.sign_up_url(newsletter)}/form has a form for other sites."
        )
    if wanted.get("sign_up") is False:
        say("Its sign-up page is closed. Who has a link to confirm still becomes a reader by it.")
    if wanted.get("local_time") is True:
        say(
            "A scheduled issue leaves at its hour by each reader's own clock; where that has passed when it "
            "is approved, at once. Let a schedule be due in the easternmost zone of your readers."
        )
    if wanted.get("clicks") is Clicks.COUNTED:
        say(
            "From the next approval on, links in its mail lead through "
            f"{runtime.settings.public_url.rstrip('/')}/c/: let your proxy pass that on. The mail says so."
        )
    if wanted.get("clicks") is Clicks.OFF:
        say("Links of mail that was sent lead on as before, and are counted no more.")
    if wanted.get("measuring") is Measuring.ASKED:
        say(
            "Readers find a box that is not ticked where they sign up and in their settings. Of nobody else "
            "anything is measured."
        )
    if wanted.get("measuring") is Measuring.OFF:
        say("Nothing is measured of anybody from now on. Who agreed can still take it back.")
    if "cadences" in wanted:
        say("Who chose another cadence before keeps it.")
    if any(name.startswith("takeaway") or name == "llm" for name in wanted):
        say(f"Takeaways: {_takeaways_in_words(newsletter)}.")
        say(
            f"'digest condense {newsletter.slug} --again' puts those of this week so as well, but for edited "
            "ones."
        )
        _tell_without_model(runtime, newsletter)


def _tell_without_model(runtime: Runtime, newsletter: Newsletter) -> None:
    if newsletter.llm and runtime.settings.llm_provider == "none":
        say("No language model is set yet (llm_provider): until one is, takeaways are extracted.")


@app.command()
def remove(
    slug: Slug,
    yes: Yes = False,
) -> None:
    """Remove a newsletter with its topics, sources, articles, schedules and issues."""
    runtime = open_runtime()
    with reading(runtime.engine) as session:
        newsletter = get_newsletter(session, slug)
    if not yes:
        confirm(f"Remove {newsletter.name} with all its topics, sources, articles and issues?")
    managing.remove(runtime, slug, by=decided_by(""))
    say(f"Removed {newsletter.name}.")


app.command(epilog=EXAMPLES)(theme)
