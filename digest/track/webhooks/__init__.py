"""Webhooks of mail providers: who may be believed, and what they tell as events of ours.

Each reads one provider's form. Whatever a request holds is a stranger's until its signature is looked at.
"""
