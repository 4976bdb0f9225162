"""`digest doctor`: everything Digest stands on, looked at."""

from digest.doctor.checks import Check
from digest.doctor.examination import examine, examine_senders
from digest.doctor.settings import is_loopback

__all__ = ["Check", "examine", "examine_senders", "is_loopback"]
