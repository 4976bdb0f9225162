"""A small newsroom to gather from: five invented sites over HTTP on loopback, always of this week."""

from digest.demo.newsroom.server import Newsroom, SampleSource

__all__ = ["Newsroom", "SampleSource"]
