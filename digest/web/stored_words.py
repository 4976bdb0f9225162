"""What is stored of a reader is called so on their pages: the parts of it, and the fields of a part."""

from __future__ import annotations

from digest.compose.phrases import Phrase
from digest.web.sign_up_words import CADENCES

PARTS = {
    "reader": Phrase("stored_reader", "You"),
    "subscriptions": Phrase("stored_subscriptions", "What you subscribed to"),
    "follows": Phrase("stored_follows", "Topics you follow"),
    "mails": Phrase("stored_mails", "Issues mailed to you"),
    "letters": Phrase("stored_letters", "Other mails to you"),
    "no_mail_of": Phrase("stored_skips", "Issues you got no mail of"),
    "came_back": Phrase("stored_came_back", "Mails that came back"),
    "did_not_arrive": Phrase("stored_did_not_arrive", "Mails that did not arrive"),
    "never_mailed": Phrase("stored_never_mailed", "Why no mail goes to you"),
    "mailed_again": Phrase("stored_mailed_again", "Since when mail goes to you again"),
    "address_changes": Phrase("stored_address_changes", "Changes of your address"),
    "record": Phrase("stored_record", "What was done about you"),
    "consents": Phrase("stored_consents", "What you agreed to"),
    "sign_ups": Phrase("stored_sign_ups", "Sign-ups just sent with your address"),
    "put_off_sign_ups": Phrase("stored_put_off", "Sign-ups with your address that wait"),
    "asks": Phrase("stored_asks", "What you asked for and did not confirm yet"),
    "measured_readers": Phrase("stored_measured", "Since when you may be measured"),
    "opens": Phrase("stored_opens", "Mails you opened"),
    "followed_links": Phrase("stored_followed", "Links you followed"),
    "muted_topics": Phrase("stored_muted", "Topics you muted"),
    "single_topics": Phrase("stored_single", "Topics you want one article of"),
    "unwanted_sources": Phrase("stored_unwanted", "Sources you want nothing of"),
    "feedback": Phrase("stored_feedback", "What you said of articles"),
    "departures": Phrase("stored_departures", "When you unsubscribed"),
    "attributes": Phrase("stored_attributes", "What else is known of you"),
    "shown_to_others": Phrase("stored_shown", "Issues shown to others as you get them"),
    "hits": Phrase("stored_hits", "Opened or followed a moment ago"),
}
"""The parts in the order of the page. One that is not named here comes after them, by its own name."""

FIELDS = {
    "id": Phrase("field_id", "Number"),
    "email": Phrase("field_email", "Address"),
    "old_email": Phrase("field_old_email", "Address before"),
    "new_email": Phrase("field_new_email", "Address after"),
    "name": Phrase("field_name", "Name"),
    "language": Phrase("field_language", "Language"),
    "timezone": Phrase("field_timezone", "Time zone"),
    "created_at": Phrase("field_created_at", "Since"),
    "newsletter": Phrase("field_newsletter", "Of newsletter"),
    "state": Phrase("field_state", "State"),
    "joined_at": Phrase("field_joined_at", "Reader since"),
    "changed_at": Phrase("field_changed_at", "State since"),
    "cadence": Phrase("field_cadence", "How often"),
    "max_items": Phrase("field_max_items", "Articles at most"),
    "send_at": Phrase("field_send_at", "Day and hour"),
    "text_only": Phrase("field_text_only", "Text alone"),
    "paused_until": Phrase("field_paused_until", "Paused until"),
    "topic": Phrase("field_topic", "Topic"),
    "topics": Phrase("field_topics", "Topics"),
    "act": Phrase("field_act", "What was done"),
    "recorded_at": Phrase("field_recorded_at", "Written down"),
    "wording": Phrase("field_wording", "In these words"),
    "network": Phrase("field_network", "From the network address"),
    "issue": Phrase("field_issue", "Issue"),
    "subject": Phrase("field_subject", "Subject"),
    "edition": Phrase("field_edition", "Articles in it"),
    "message_id": Phrase("field_message_id", "Message-ID"),
    "smtp_code": Phrase("field_smtp_code", "Answer of the mail server"),
    "smtp_text": Phrase("field_smtp_text", "In its words"),
    "settled_at": Phrase("field_settled_at", "Answered at"),
    "kind": Phrase("field_kind", "Kind"),
    "reason": Phrase("field_reason", "Reason"),
    "detail": Phrase("field_detail", "Details"),
    "asked_at": Phrase("field_asked_at", "Asked for"),
    "confirmed_at": Phrase("field_confirmed_at", "Confirmed"),
    "old_agreed_at": Phrase("field_old_agreed_at", "The old mailbox agreed"),
    "new_agreed_at": Phrase("field_new_agreed_at", "The new mailbox agreed"),
    "undone_at": Phrase("field_undone_at", "Taken back, or given up"),
    "moved_at": Phrase("field_moved_at", "This address since"),
    "at": Phrase("field_at", "When"),
    "what": Phrase("field_what", "What"),
    "about": Phrase("field_about", "About"),
    "topic_id": Phrase("field_topic", "Topic"),
    "issue_id": Phrase("field_issue_id", "Number of the issue"),
    "position": Phrase("field_position", "Article, from 0"),
    "source": Phrase("field_source", "Source"),
    "is_useful": Phrase("field_is_useful", "Useful"),
    "until": Phrase("field_until", "Until"),
    "words": Phrase("field_words", "In your words"),
    "since": Phrase("field_since", "Since"),
    "days": Phrase("field_days", "Days for which it is kept"),
    "may_spare": Phrase("field_may_spare", "May spare you mail"),
    "due_at": Phrase("field_due_at", "Will be looked at again"),
    "may_measure": Phrase("field_may_measure", "May be measured"),
    "attribute": Phrase("field_attribute", "What"),
    "value": Phrase("field_value", "Value"),
    "state_before": Phrase("field_state_before", "State before"),
    "suppressed_at": Phrase("field_suppressed_at", "Never mailed since"),
    "removed_at": Phrase("field_removed_at", "Mailed again since"),
    "why": Phrase("field_reason", "Reason"),
    "received_at": Phrase("field_received_at", "Came at"),
    "via": Phrase("field_via", "Came by"),
    "meaning": Phrase("field_meaning", "What it says"),
    "effect": Phrase("field_effect", "What it changed"),
    "domain": Phrase("field_domain", "Domain"),
    "status": Phrase("field_status", "Status code"),
    "made_at": Phrase("field_made_at", "Made"),
    "expires_at": Phrase("field_expires_at", "Ends"),
    "revoked_at": Phrase("field_revoked_at", "Ended"),
    "place": Phrase("field_place", "Place in the mail"),
    "is_open": Phrase("field_is_open", "The mail was opened"),
}
"""Fields that are not named here stand under their own name, as in the file."""

IN_THE_FILE_ALONE = frozenset(
    {
        *("newsletter_id", "subscriber_id", "delivery_id", "account_id"),
        *("old_key", "new_key", "visitor", "next_at", "attempts", "armed_at", "entry_link"),
    }
)
"""Numbers and keys of what stands beside them by its name, and how processes share the work."""

SHARED_BY_ROWS = ("departures", "act")
"""A number that says which newsletters were left by one link: for programs, and no act in words."""

_SUBSCRIPTIONS = {
    "pending": Phrase("state_pending", "not confirmed yet"),
    "active": Phrase("state_active", "you get it"),
    "paused": Phrase("state_paused", "paused"),
    "unsubscribed": Phrase("state_unsubscribed", "unsubscribed"),
}
_MAILS = {
    "pending": Phrase("mail_pending", "waits to be sent"),
    "claimed": Phrase("mail_claimed", "is being sent"),
    "sending": Phrase("mail_sending", "is being sent"),
    "accepted": Phrase("mail_accepted", "taken by your mail server"),
    "failed": Phrase("mail_failed", "not taken by your mail server"),
    "unknown": Phrase("mail_unknown", "sent, and not answered"),
    "cancelled": Phrase("mail_cancelled", "not sent"),
}
_CADENCES = {cadence.value: phrase for cadence, phrase in CADENCES.items()}
_SOURCES = {
    "page": Phrase("source_page", "on the sign-up page"),
    "form": Phrase("source_form", "by a form on another site"),
    "api": Phrase("source_api", "by a program"),
    "import": Phrase("source_import", "from a list"),
    "command": Phrase("source_command", "by who keeps the list"),
    "desk": Phrase("source_desk", "by who keeps the list"),
    "mail": Phrase("source_mail", "by the link in the mail"),
}
_SUPPRESSIONS = {
    "hard_bounce": Phrase("never_hard_bounce", "your mailbox was not there"),
    "complaint": Phrase("never_complaint", "a mail was called spam"),
    "by_hand": Phrase("never_by_hand", "put there by who keeps the list"),
    "imported": Phrase("never_imported", "it was on a list that was brought in"),
}
_RECORD = {
    "subscriber.added": Phrase("did_added", "added as a reader"),
    "subscriber.changed": Phrase("did_changed", "your settings were changed"),
    "subscriber.unsubscribed": Phrase("did_unsubscribed", "unsubscribed"),
    "subscriber.paused": Phrase("did_paused", "paused"),
    "subscriber.returned": Phrase("did_returned", "made a reader again"),
    "subscriber.moved": Phrase("did_moved", "your address was changed"),
    "suppression.added": Phrase("did_suppressed", "kept from being mailed"),
    "suppression.removed": Phrase("did_unsuppressed", "let be mailed again"),
    "account": Phrase("did_account", "something with your account of those who make newsletters"),
    "session": Phrase("did_session", "you signed in or out as one who makes newsletters"),
}
"""What was done; what is about accounts goes by the first part of its name."""

VALUES = {
    ("subscriptions", "state"): _SUBSCRIPTIONS,
    ("subscriptions", "cadence"): _CADENCES,
    ("asks", "cadence"): _CADENCES,
    ("mails", "state"): _MAILS,
    ("letters", "state"): _MAILS,
    ("letters", "kind"): {
        "confirmation": Phrase("letter_confirmation", "asks you to confirm"),
        "welcome": Phrase("letter_welcome", "welcome"),
        "preferences": Phrase("letter_preferences", "link to your settings"),
        "goodbye": Phrase("letter_goodbye", "goodbye"),
        "new-address": Phrase("letter_new_address", "asks the new address"),
        "leave-address": Phrase("letter_leave_address", "asks the address you had"),
        "old-address": Phrase("letter_old_address", "tells the address you had"),
    },
    ("consents", "act"): {
        "asked": Phrase("act_asked", "signed up"),
        "confirmed": Phrase("act_confirmed", "confirmed"),
        "added": Phrase("act_added", "added by who keeps the list"),
    },
    ("consents", "source"): _SOURCES,
    **{(part, "source"): _SOURCES for part in ("sign_ups", "put_off_sign_ups")},
    **{(part, "cadence"): _CADENCES for part in ("sign_ups", "put_off_sign_ups")},
    ("record", "what"): _RECORD,
    ("never_mailed", "reason"): _SUPPRESSIONS,
    ("mailed_again", "reason"): _SUPPRESSIONS,
    ("departures", "reason"): {
        "too-often": Phrase("left_too_often", "It came too often"),
        "too-much": Phrase("left_too_much", "Each mail was too long"),
        "other-interests": Phrase("left_other_interests", "It was not about what I want to read"),
        "not-good": Phrase("left_not_good", "It did not help me"),
        "never-asked": Phrase("left_never_asked", "I never asked for it"),
        "other": Phrase("left_other", "Something else"),
    },
    ("departures", "state_before"): _SUBSCRIPTIONS,
    ("came_back", "kind"): {
        "delivery_report": Phrase("back_report", "report of a mail server"),
        "complaint": Phrase("back_complaint", "complaint of spam"),
        "complained": Phrase("back_complaint", "complaint of spam"),
        "other_feedback": Phrase("back_feedback", "other report of a mail service"),
        "guessed": Phrase("back_guessed", "a mail server’s own words"),
        "auto_reply": Phrase("back_auto_reply", "automatic reply"),
        "unreadable": Phrase("back_unreadable", "could not be read"),
        "taken": Phrase("back_taken", "the mail service took it"),
        "delivered": Phrase("back_delivered", "it was delivered"),
        "delayed": Phrase("back_delayed", "it is still under way"),
        "bounced": Phrase("back_bounced", "it was not delivered"),
        "unsubscribed": Phrase("back_unsubscribed", "unsubscribed by the mail program"),
    },
    ("came_back", "meaning"): {
        "gone": Phrase("means_gone", "there is no such mailbox"),
        "complaint": Phrase("means_complaint", "the mail was called spam"),
        "unsubscribed": Phrase("means_unsubscribed", "you unsubscribed"),
        "soft": Phrase("means_soft", "it did not arrive this time"),
        "refuses_us": Phrase("means_refuses", "your mail server refuses our mail"),
        "about_mail": Phrase("means_about_mail", "your mail server did not take this mail"),
        "delayed": Phrase("back_delayed", "it is still under way"),
        "nothing": Phrase("means_nothing", "nothing to do"),
        "unknown": Phrase("means_unknown", "cannot be told"),
    },
    ("came_back", "effect"): {
        "suppressed": Phrase("effect_suppressed", "no mail goes to your address any more"),
        "known": Phrase("effect_known", "nothing: it was known already"),
        "counted": Phrase("effect_counted", "it was counted as not arrived"),
        "paused": Phrase("effect_paused", "the third in a row: paused"),
        "told": Phrase("effect_told", "those who keep the server were told"),
        "unsubscribed": Phrase("effect_unsubscribed", "unsubscribed"),
        "settled": Phrase("effect_settled", "it is known now that the mail arrived"),
        "none": Phrase("effect_none", "nothing"),
    },
    ("no_mail_of", "reason"): {
        "no_topics": Phrase("skip_no_topics", "you followed no topic"),
        "nothing_followed": Phrase("skip_nothing_followed", "it had nothing of your topics"),
        "suppressed": Phrase("skip_suppressed", "no mail goes to your address"),
        "paused": Phrase("skip_paused", "you had paused"),
        "not_due": Phrase("skip_not_due", "your last one was not long enough ago"),
        "all_sent": Phrase("skip_all_sent", "you were sent all of it before"),
        "outside_segment": Phrase("skip_outside", "it was for other readers"),
        "wants_less": Phrase("skip_wants_less", "you had muted or left out all of it"),
        "already_sent": Phrase("skip_already_sent", "you had an issue of the same days"),
    },
}
"""What a code in a field of a part is called. One that does not stand here is shown as it is."""

YES = Phrase("said_yes", "yes")
NO = Phrase("said_no", "no")

_CODES = dict.fromkeys(phrase for words in VALUES.values() for phrase in words.values())
ALL = tuple(dict.fromkeys((*PARTS.values(), *FIELDS.values(), *_CODES, YES, NO)))
