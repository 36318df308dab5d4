"""The survey page. A GET stores no answer: mail scanners open every link."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from opsbot.channels.dependencies import NowDep, ServicesDep
from opsbot.channels.pages import FormDep, PageRoute, PagesDep
from opsbot.commerce.cases import office_hours
from opsbot.errors import ConflictError, InvalidInputError
from opsbot.surveys.answers import AnswerError, opt_out, record_response
from opsbot.surveys.links import PageState
from opsbot.surveys.pages import PageQuestion, SurveyPage, open_invitation

_PRIVATE = {"x-robots-tag": "noindex, nofollow"}

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/s/{token}")
def get_survey(
    request: Request,
    token: str,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
    score: str = "",
) -> Response:
    """Show the questions, the thanks, or that it is too late. A `score` is only chosen before."""
    with services.database.write() as session:
        survey = open_invitation(session, services.settings, token, now=now, score=score)
    return _render(request, pages, survey)


@router.post("/s/{token}")
def post_survey(
    request: Request,
    token: str,
    form: FormDep,
    services: ServicesDep,
    pages: PagesDep,
    now: NowDep,
) -> Response:
    """Keep the answers, and lead to the thanks."""
    try:
        with services.database.write(durable=True) as session:
            record_response(session, token, form, now=now, hours=office_hours(services.settings))
    except (InvalidInputError, ConflictError) as error:
        with services.database.write() as session:
            survey = open_invitation(session, services.settings, token, now=now)
        return _render(request, pages, _with_answers(survey, form), error=error)
    return RedirectResponse(f"/s/{token}", status_code=303)


@router.get("/s/{token}/stop")
def get_stop(
    request: Request, token: str, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Ask whether no more surveys shall be sent. Nothing is changed by looking."""
    with services.database.write() as session:
        open_invitation(session, services.settings, token, now=now)
    return pages.render(request, "survey/stop.html", headers=_PRIVATE, token=token, stopped=False)


@router.post("/s/{token}/stop")
def post_stop(
    request: Request, token: str, services: ServicesDep, pages: PagesDep, now: NowDep
) -> Response:
    """Send this customer no more surveys."""
    with services.database.write(durable=True) as session:
        opt_out(session, token, now=now)
    return pages.render(request, "survey/stop.html", headers=_PRIVATE, token=token, stopped=True)


def _render(
    request: Request,
    pages: PagesDep,
    survey: SurveyPage,
    *,
    error: InvalidInputError | ConflictError | None = None,
) -> Response:
    closed = survey.state is PageState.CLOSED
    return pages.render(
        request,
        "survey/closed.html" if closed else "survey/questions.html",
        status=422 if error else 410 if closed else 200,
        headers=_PRIVATE,
        survey=survey,
        answered=survey.state is PageState.ANSWERED and error is None,
        error=str(error) if error else "",
        wrong=error.question if isinstance(error, AnswerError) else "",
    )


def _with_answers(survey: SurveyPage, form: Mapping[str, str]) -> SurveyPage:
    """Return the page with what was sent, so that nothing must be written twice."""
    questions = tuple(_with_answer(question, form) for question in survey.questions)
    return replace(survey, questions=questions)


def _with_answer(question: PageQuestion, form: Mapping[str, str]) -> PageQuestion:
    given = form.get(question.id)
    if given is None:
        return question
    if question.choices:
        fitting = {str(choice): choice for choice in question.choices}
        return replace(question, answer=fitting.get(given))
    return replace(question, answer=given)
