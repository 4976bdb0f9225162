import pytest

from digest.domain.approvals import Hands, Request, require_eyes
from digest.domain.errors import InvalidInput
from digest.domain.newsletters import Approval
from tests.stored import NOW


def test_whoever_changed_it_last_or_asked_is_no_second_pair_of_eyes() -> None:
    hands = Hands("Ada", Request("Ben", NOW))
    assert hands.why_not("Ada") == "Ada changed it last"
    assert hands.why_not(" ADA") == " ADA changed it last"
    assert hands.why_not("Ben") == "Ben asked for it"
    assert hands.why_not("Cleo") == ""


def test_what_nobody_had_in_hand_anybody_may_approve() -> None:
    assert Hands().why_not("Ada") == ""


def test_two_pairs_of_eyes_cannot_be_wanted_where_nobody_looks() -> None:
    for approval in Approval:
        require_eyes(approval, second_eyes=False)
    require_eyes(Approval.MANUAL, second_eyes=True)
    for approval in (Approval.AUTOMATIC, Approval.DEADLINE):
        with pytest.raises(InvalidInput, match=f"'{approval}' asks nobody"):
            require_eyes(approval, second_eyes=True)
