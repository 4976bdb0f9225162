"""What is stored of a reader is called so on their pages: the parts of it, and the fields of a part."""

from __future__ import annotations

from digest.compose.phrases import Phrase

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
    "measured_readers": Phrase("stored_measured", "Since when you may be measured"),
    "opens": Phrase("stored_opens", "Mails you opened"),
    "followed_links": Phrase("stored_followed", "Links you followed"),
    "muted_topics": Phrase("stored_muted", "Topics you muted"),
    "single_topics": Phrase("stored_single", "Topics you want one article of"),
    "unwanted_sources": Phrase("stored_unwanted", "Sources you want nothing of"),
    "feedback": Phrase("stored_feedback", "What you said of articles"),
    "departures": Phrase("stored_departures", "When you unsubscribed"),
    "attributes": Phrase("stored_attributes", "What else is known of you"),
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
    "topic_id": Phrase("field_topic_id", "Number of the topic"),
    "issue_id": Phrase("field_issue_id", "Number of the issue"),
    "position": Phrase("field_position", "Article, from 0"),
    "source": Phrase("field_source", "Source"),
    "is_useful": Phrase("field_is_useful", "Useful"),
    "until": Phrase("field_until", "Until"),
    "words": Phrase("field_words", "In your words"),
    "since": Phrase("field_since", "Since"),
    "may_measure": Phrase("field_may_measure", "May be measured"),
}
"""Fields that are not named here stand under their own name, as in the file."""

IN_THE_FILE_ALONE = frozenset({"newsletter_id", "subscriber_id"})
"""Numbers of what stands beside them by its name."""

YES = Phrase("said_yes", "yes")
NO = Phrase("said_no", "no")

ALL = (*PARTS.values(), *FIELDS.values(), YES, NO)
