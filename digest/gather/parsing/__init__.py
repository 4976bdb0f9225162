"""Processes that read strangers' documents, bounded in time and memory."""
