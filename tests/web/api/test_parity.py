"""Whatever a page changes, a program can change, too: each form beside the call that does the same."""

from __future__ import annotations

import pytest

from digest.web.access import SAFE, declared
from digest.web.api.access import Call
from digest.web.api.application import ROUTERS
from digest.web.app import make_app
from tests.web.conftest import runtime_on

NAMES = {route.name for router in ROUTERS for route in router.routes if isinstance(route, Call)}
FORMS = {
    route.path
    for route in declared(make_app(runtime_on("sqlite:///never-opened.db")))
    if route.methods - SAFE and route.path != "/api/v1"
}

ISSUE, DRAFT = "/issues/{issue_id}/preview", "/issues/{issue_id}/draft"
NEWSLETTER, ENDPOINTS = "/manage/newsletters/{slug}", "/manage/endpoints"

CALLS = {
    "/ops/hold": "hold_everything",
    "/ops/let-go": "end_all_holds",
    "/ops/sends/{issue_id}/now": "send_issue_now",
    "/ops/sends/{issue_id}/pause": "pause_issue",
    "/ops/sends/{issue_id}/resume": "resume_issue",
    "/ops/sends/{issue_id}/cancel": "cancel_issue",
    "/ops/sends/{issue_id}/resend": "resend_issue",
    "/ops/sends/{issue_id}/unknown": "resend_issue",
    "/ops/suppressions/add": "add_suppression",
    "/ops/suppressions/remove": "remove_suppressed",
    "/ops/suppressions/import": "import_list",
    "/ops/runs/{run_id}/retry": "retry_run",
    "/ops/runs/{run_id}/settle": "run_missed",
    "/ops/runs/{run_id}/back": "restore_skipped",
    "/ops/kept": "tell_reader_data",
    "/ops/kept/data": "tell_reader_data",
    "/ops/kept/erase": "erase_reader",
    "/ops/schedules/dates": "preview_schedule",
    "/ops/schedules/new": "add_newsletter_schedule",
    "/ops/schedules/{schedule_id}": "change_schedule",
    "/ops/schedules/{schedule_id}/pause": "pause_schedule",
    "/ops/schedules/{schedule_id}/resume": "resume_schedule",
    "/ops/schedules/{schedule_id}/skip": "skip_date",
    "/ops/schedules/{schedule_id}/start": "start_run",
    "/ops/schedules/{schedule_id}/try": "try_schedule",
    "/ops/schedules/{schedule_id}/remove": "remove_schedule",
    "/account/tokens": "make_token",
    "/account/tokens/{token_id}/end": "end_token",
    "/tokens": "make_token",
    "/tokens/{token_id}/end": "end_token",
    "/account/language": "change_account",
    "/accounts": "add_account",
    "/accounts/{account_id}/link": "make_account_link",
    "/accounts/{account_id}/role": "change_account",
    "/accounts/{account_id}/remove": "remove_account",
    "/accounts/{account_id}/end-sessions": "end_account_sessions",
    "/accounts/{account_id}/forget-phone": "forget_account_phone",
    "/manage/new": "add_newsletter",
    f"{ENDPOINTS}/new": "add_new_endpoint",
    f"{ENDPOINTS}/{{endpoint_id}}": "change_one_endpoint",
    f"{ENDPOINTS}/{{endpoint_id}}/rotate": "rotate_endpoint_secret",
    f"{ENDPOINTS}/{{endpoint_id}}/test": "test_endpoint",
    f"{ENDPOINTS}/{{endpoint_id}}/pause": "change_one_endpoint",
    f"{ENDPOINTS}/{{endpoint_id}}/resume": "change_one_endpoint",
    f"{ENDPOINTS}/{{endpoint_id}}/calls/{{call_id}}/again": "make_call_again",
    f"{ENDPOINTS}/{{endpoint_id}}/remove": "remove_one_endpoint",
    f"{NEWSLETTER}/contents": "change_newsletter",
    f"{NEWSLETTER}/identity": "change_newsletter",
    f"{NEWSLETTER}/remove": "remove_newsletter",
    f"{NEWSLETTER}/topics": "order_topics",
    f"{NEWSLETTER}/new-topic": "add_topic",
    f"{NEWSLETTER}/new-topic/try": "try_rule",
    f"{NEWSLETTER}/topics/{{topic}}": "change_topic",
    f"{NEWSLETTER}/topics/{{topic}}/try": "try_rule",
    f"{NEWSLETTER}/topics/{{topic}}/remove": "remove_topic",
    f"{NEWSLETTER}/new-reader": "add_subscriber",
    f"{NEWSLETTER}/readers/import": "upload_reader_list",
    f"{NEWSLETTER}/readers/import/{{number}}/{{stage}}": "go_on_with_reader_list",
    f"{NEWSLETTER}/readers/{{number}}": "change_subscriber",
    f"{NEWSLETTER}/readers/{{number}}/address": "move_subscriber",
    f"{NEWSLETTER}/readers/{{number}}/{{move}}": "unsubscribe_subscriber",
    f"{NEWSLETTER}/new-segment": "add_segment",
    f"{NEWSLETTER}/new-segment/try": "ask_segment",
    f"{NEWSLETTER}/segments/{{segment}}": "change_segment",
    f"{NEWSLETTER}/segments/{{segment}}/try": "ask_segment",
    f"{NEWSLETTER}/segments/{{segment}}/remove": "remove_segment",
    f"{NEWSLETTER}/sources/find": "search_site",
    f"{NEWSLETTER}/sources/new": "add_source",
    f"{NEWSLETTER}/sources/import": "import_sources",
    f"{NEWSLETTER}/sources/{{number}}": "change_one_source",
    f"{NEWSLETTER}/sources/{{number}}/try": "try_source",
    f"{NEWSLETTER}/sources/{{number}}/pause": "pause_source",
    f"{NEWSLETTER}/sources/{{number}}/resume": "resume_source",
    f"{NEWSLETTER}/sources/{{number}}/remove": "remove_one_source",
    f"{NEWSLETTER}/wording": "change_wording",
    f"{NEWSLETTER}/look": "change_look",
    f"{NEWSLETTER}/look/reset": "reset_look",
    f"{NEWSLETTER}/look/mail": "show_sample",
    f"{ISSUE}/approve": "approve_draft",
    f"{ISSUE}/ask": "ask_for_approval",
    f"{ISSUE}/reopen": "take_back_approval",
    f"{ISSUE}/test": "test_issue",
    f"{ISSUE}/outlook": "work_out_outlook",
    f"{ISSUE}/links": "add_preview_link",
    f"{ISSUE}/links/{{link_id}}/revoke": "revoke_preview_link",
    f"{DRAFT}/articles": "add_issue_article",
    f"{DRAFT}/articles/{{article_id}}": "change_article",
    f"{DRAFT}/undo": "undo_change",
    f"{DRAFT}/fields/{{field}}": "change_issue",
}
"""Where one form does several things, the call that does the first of them: `redo_change`, `skip_missed` and
`set_issue_takeaways` stand beside theirs."""

OF_ONE_PERSON = {
    "/sign-in",
    "/sign-in/code",
    "/forgot",
    "/sign-out",
    "/enter/{token}",
    "/account/password",
    "/account/sessions/end",
    "/account/sessions/{session_id}/end",
    "/account/phone",
    "/account/phone/confirm",
    "/account/phone/codes",
    "/account/phone/end",
}
"""What proves that somebody is who they are: no token may stand for that."""

OF_OTHERS = {
    "/hooks/{provider}",
    "/unsubscribe/{token}",
    "/unsubscribe/{token}/all",
    "/unsubscribe/{token}/pause",
    "/unsubscribe/{token}/slower",
    "/unsubscribe/{token}/undo",
    "/unsubscribe/{token}/why",
    "/preferences/{token}",
    "/preferences/{token}/fewer/{issue_id}/{position}",
    "/preferences/{token}/less",
    "/preferences/{token}/mute/{topic}",
    "/preferences/{token}/pause",
    "/preferences/{token}/measuring",
    "/preferences/{token}/return",
    "/preferences/{token}/address",
    "/preferences/{token}/erase",
    "/new-address/{token}",
    "/leave-address/{token}",
    "/old-address/{token}",
    "/subscribe/{slug}",
    "/subscribe/{slug}/api",
    "/confirm/{token}",
    "/never-again/{token}",
    "/preferences/{token}/useful/{issue_id}/{position}",
}
"""Where providers and readers come with an authority of their own."""


def test_every_form_has_a_call_that_does_the_same() -> None:
    assert CALLS.keys() | OF_ONE_PERSON | OF_OTHERS == FORMS


@pytest.mark.parametrize("path", CALLS)
def test_each_call_named_is_there(path: str) -> None:
    assert CALLS[path] in NAMES
