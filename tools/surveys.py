"""Surveys in chat: one question at a time, answered in words."""

import re
from typing import Annotated

from opsbot.commerce.cases import Case, office_hours
from opsbot.errors import InvalidInputError, NotVerifiedError
from opsbot.surveys.answers import record_answers
from opsbot.surveys.links import find_invitation, find_open_invitation
from opsbot.surveys.models import SurveyInvitation
from opsbot.surveys.pages import PageQuestion, SurveyPage, describe_invitation
from opsbot.toolkit.arguments import argument
from opsbot.toolkit.caller import Level
from opsbot.toolkit.results import Change, Result
from opsbot.toolkit.tool import ToolContext, tool

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER = re.compile(rf"\b(\d{{1,2}}|{'|'.join(_WORDS)})\b", re.IGNORECASE)
_LINK = re.compile(r"(?:.*/s/)?([\w-]{10,100})(?:[/?#].*)?")

Answer = Annotated[
    str,
    argument(
        "survey_answer",
        "What is your answer?",
        description="The answer in the person's own words: a number of the scale, or a sentence.",
        pattern=r"(?:\bsurvey\b[^\d:]{0,60}|\b(?:answer|score|rate|rating|give)\b[^\d:]{0,40})"
        r"(?:: *([^\n]{1,300})|\b(\d{1,2})\b)"
        r"|\b(\d{1,2}) (?:for|in|to|on) (?:the |your )?survey\b",
        min_length=1,
        max_length=2000,
    ),
]
Token = Annotated[
    str,
    argument(
        "survey_token",
        "Which survey? The link in our mail leads to it.",
        description="The link of the survey, or the last part of it; empty: the survey that waits "
        "for this customer.",
        pattern=r"/s/([\w-]{10,100})",
        max_length=300,
    ),
]
Asked = Annotated[
    str,
    argument(
        "survey_question",
        "Which of the questions?",
        description="Id of the question that is answered; empty: the next one without an answer.",
        pattern=r"\bquestion (?:no\.? |number )?(\d{1,2})\b",
        max_length=40,
    ),
]


@tool(
    examples=[
        "I want to answer the survey",
        "my answer to your survey: 9",
        "here is my score for the survey, 4",
        "can I fill in the questionnaire here in the chat?",
        "I got a mail with a survey, let me answer it here",
        "for the survey I give you a 7",
        "take my survey response please",
        "reply to your satisfaction survey",
        "you sent me a survey, I would like to take it now",
        "let me do the questionnaire that came with your mail",
        "the survey link does not open, I answer here: 5",
    ],
    label="Writing your answer down",
    effect="write",
    confirm="none",
    limits=("30/hour",),
)
def answer_survey(
    ctx: ToolContext, answer: Answer, token: Token = "", question: Asked = ""
) -> Change:
    """Keep an answer to a survey that the customer was invited to, and ask the next question.

    Args:
        ctx: who answers.
        answer: in their words.
        token: of the survey's link; without it the one that waits for them.
        question: which one is answered; without it the next.
    """
    invitation = _invitation(ctx, token)
    page = describe_invitation(ctx.session, ctx.settings, invitation, now=ctx.now)
    asked = _asked(page, question)
    value = _read(asked, answer)
    given = {one.id: one.answer for one in page.questions if one.answer not in {None, ""}}
    answers = {**given, asked.id: value}
    missing = [one for one in page.questions if one.required and one.id not in answers]
    left = [one for one in page.questions if one.id not in answers]

    def apply() -> Result:
        response = record_answers(
            ctx.session,
            invitation,
            answers,
            now=ctx.now,
            complete=not missing,
            hours=office_hours(ctx.settings),
        )
        case = ctx.session.get(Case, response.case_id) if response.case_id else None
        kept = f"{value} of {asked.choices[-1]}" if asked.choices else "your words"
        lines = [f"Thank you, I have noted {kept}."]
        if case is not None:
            lines.append(f"I am sorry. A person looks at it under **{case.number}**.")
        lines.append(_next_words(left[0]) if left else page.thanks)
        facts = {
            "survey": page.survey,
            "question": asked.id,
            "next_question": left[0].id if left else None,
            "case_number": case.number if case else None,
        }
        replies = [str(choice) for choice in left[0].choices] if left else []
        return Result("\n\n".join(lines), facts=facts, quick_replies=replies)

    return Change(
        title="Keep this answer?",
        details=[asked.text, f"Your answer: {value}"],
        button="Keep it",
        basis={"survey": page.survey, "question": asked.id, "answer": value},
        apply=apply,
    )


def _invitation(ctx: ToolContext, token: str) -> SurveyInvitation:
    if token.strip():
        match = _LINK.fullmatch(token.strip())
        return find_invitation(ctx.session, match[1] if match else token, lock=True)
    caller = ctx.caller
    if caller.customer_id is None or caller.level < Level.ORDER:
        raise NotVerifiedError(
            "Please open the link in our mail, or prove the order that the survey is about.",
            level=Level.ORDER,
        )
    order_id = caller.proved_order_id if caller.level < Level.SIGNED_IN else None
    return find_open_invitation(ctx.session, caller.customer_id, order_id=order_id, now=ctx.now)


def _asked(page: SurveyPage, question: str) -> PageQuestion:
    """Return the question that is answered: the one named, else the next, else the first."""
    if question:
        for number, one in enumerate(page.questions, 1):
            if question.strip() in {one.id, str(number)}:
                return one
        raise InvalidInputError("question: there is no such question.", field="question")
    return next((one for one in page.questions if one.answer is None), page.questions[0])


def _read(question: PageQuestion, answer: str) -> str | int:
    """Return the number that words give on the question's scale, or the words themselves."""
    if not question.choices:
        return answer.strip()
    found = [_number(word) for word in _NUMBER.findall(answer)]
    # "9 out of 10" names the scale's end as well; the first number is the answer.
    if not found or found[0] not in question.choices:
        raise InvalidInputError(_next_words(question), field="answer")
    return found[0]


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _WORDS.index(word.lower())


def _next_words(question: PageQuestion) -> str:
    if not question.choices:
        return question.text
    low, high = question.choices[0], question.choices[-1]
    ends = f"{low} ({question.low})" if question.low else str(low)
    to = f"{high} ({question.high})" if question.high else str(high)
    return f"{question.text} A number from {ends} to {to}, please."
