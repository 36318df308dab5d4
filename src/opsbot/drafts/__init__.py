"""Replies to mails, written by the assistant and sent by a person."""
