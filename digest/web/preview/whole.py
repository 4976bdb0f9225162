"""The whole preview page: the mail, its approval, and whom it was shown to."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.responses import HTMLResponse

from digest.domain.accounts import Actor
from digest.runtime import Runtime
from digest.web.preview.approvals import approval_view
from digest.web.preview.chosen import Look, ReaderChosen
from digest.web.preview.outlooks import outlook_view
from digest.web.preview.previews import head_view, pieces, preview_view
from digest.web.preview.search import search_view
from digest.web.preview.shares import shares_view
from digest.web.preview.trials import TrialChosen, trial_view
from digest.web.preview.views import Said
from digest.web.templating import Pages


def whole_page(
    runtime: Runtime,
    pages: Pages,
    issue_id: int,
    actor: Actor,
    *,
    reader: ReaderChosen | None = None,
    look: Look | None = None,
    search: str = "",
    after: str = "",
    said: Said | None = None,
    trial: TrialChosen | None = None,
    status: int = HTTPStatus.OK,
) -> HTMLResponse:
    """Return the page; `said` is what became of a form, told where that form is."""
    found = pieces(runtime, issue_id)
    reader = reader or ReaderChosen()
    return pages.desk(
        "preview/page.html",
        status=status,
        issue=head_view(found),
        search=search_view(runtime, found.issue, search, after=after),
        preview=preview_view(runtime, found, reader, look or Look()),
        approval=approval_view(runtime, found, actor),
        outlook=outlook_view(runtime, found),
        shares=shares_view(runtime, found),
        trial=trial_view(runtime, found.newsletter.id, trial or TrialChosen()),
        reader=reader,
        said=said,
    )
