"""Columns of tables that stand above this layer: read here, defined and written there.

A test holds them against the real tables, so that none can change unseen.
"""

from sqlalchemy import JSON, Boolean, Integer, String, column, table

from opsbot.db import UtcDateTime

conversations = table(
    "conversations",
    column("id", String),
    column("audience", String),
    column("channel", String),
    column("customer_id", Integer),
    column("created_at", UtcDateTime),
    column("updated_at", UtcDateTime),
)
messages = table(
    "messages",
    column("id", String),
    column("conversation_id", String),
    column("author", String),
    column("sent_at", UtcDateTime),
    column("in_reply_to", String),
    column("body", JSON),
)
tool_calls = table(
    "tool_calls",
    column("message_id", String),
    column("name", String),
    column("error", String),
)
drafts = table(
    "drafts",
    column("id", Integer),
    column("reply", String),
    column("edited", String),
    column("state", String),
    column("created_at", UtcDateTime),
    column("decided_at", UtcDateTime),
)
survey_versions = table(
    "survey_versions",
    column("id", String),
    column("survey", String),
    column("content", JSON),
    column("first_used_at", UtcDateTime),
)
survey_invitations = table(
    "survey_invitations",
    column("id", Integer),
    column("survey", String),
    column("version_id", String),
    column("order_id", Integer),
    column("sku", String),
    column("state", String),
    column("sent_at", UtcDateTime),
)
survey_responses = table(
    "survey_responses",
    column("id", Integer),
    column("invitation_id", Integer),
    column("complete", Boolean),
    column("answered_at", UtcDateTime),
    column("case_id", Integer),
)
survey_answers = table(
    "survey_answers",
    column("response_id", Integer),
    column("question", String),
    column("number", Integer),
)
TABLES = (
    conversations,
    messages,
    tool_calls,
    drafts,
    survey_versions,
    survey_invitations,
    survey_responses,
    survey_answers,
)
