"""What somebody is told who may not do what they asked for."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from digest.domain.accounts import Right
from digest.web.access import SAFE, NotAllowed, NotOurForm, NotSignedIn
from digest.web.account.ways import way_of
from digest.web.templating import Pages
from digest.web.views import ErrorView

_SIGNED_OUT = ErrorView(
    "You are signed out",
    "Nothing was changed. Sign in, come back to the page, and do it once more.",
)
_NOT_OURS = ErrorView(
    "That did not come from a page of yours",
    "Nothing was changed. The page may have been open since before you last signed in: load it again, and do "
    "it once more.",
)
_ALLOWED = {
    Right.LOOK: "look at this",
    Right.SHAPE: "change what an issue says: an editor or an admin may",
    Right.APPROVE: "let an issue go out: an editor or an admin may",
    Right.OPERATE: "decide when things are sent: ops or an admin may",
    Right.ADMINISTER: "manage accounts and newsletters: an admin may",
}


def add_answers(app: FastAPI, pages: Pages) -> None:
    """Answer who is not signed in, not allowed, or did not come from our pages."""

    def signed_out(request: Request, exc: NotSignedIn) -> Response:  # noqa: ARG001
        door = f"{pages.base}/sign-in"
        if "hx-request" in request.headers:
            # A part of a page cannot be led away; the whole page it is on can.
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": door})
        if request.method in SAFE:
            way = urlencode({"next": way_of(request, pages.base)})
            return RedirectResponse(f"{door}?{way}", HTTPStatus.SEE_OTHER)
        return pages.desk("account/signed_out.html", status=HTTPStatus.UNAUTHORIZED, error=_SIGNED_OUT)

    def not_allowed(request: Request, exc: NotAllowed) -> Response:
        error = ErrorView("You may not do that", f"Your account may not {_ALLOWED[exc.right]}.")
        seen = pages.seen_by(request.state.signed_in)
        return seen.desk("error.html", status=HTTPStatus.FORBIDDEN, error=error)

    def not_ours(request: Request, exc: NotOurForm) -> Response:  # noqa: ARG001
        seen = pages.seen_by(getattr(request.state, "signed_in", None))
        return seen.desk("error.html", status=HTTPStatus.FORBIDDEN, error=_NOT_OURS)

    app.exception_handler(NotSignedIn)(signed_out)
    app.exception_handler(NotAllowed)(not_allowed)
    app.exception_handler(NotOurForm)(not_ours)
