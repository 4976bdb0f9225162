"""How somebody becomes a reader: the sign-up page, a form for other sites, and the link that confirms it."""

from fastapi import APIRouter

from digest.web.sign_up import api, confirming, never_again, pages

router = APIRouter()
router.include_router(api.router)
router.include_router(pages.router)
router.include_router(confirming.router)
router.include_router(never_again.router)
