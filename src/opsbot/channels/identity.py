"""Who is asking: the shop's signed token, a visitor's own id, a staff session.

Three kinds of proof, three salts: none can stand in for another.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer

from opsbot.db import Database
from opsbot.errors import NotAllowedError
from opsbot.settings import Settings
from opsbot.staff import Staff

AUDIENCE = "opsbot"
ALGORITHM = "HS256"
LONGEST_TOKEN = timedelta(minutes=15)
"""A shop's token may not live longer than this."""
SESSION_S = 12 * 3600
"""How long a staff session lasts, in seconds."""

SIGN_IN_AGAIN = "Please sign in again."


@dataclass(frozen=True)
class StaffSession:
    """What the cookie of a signed-in member of staff says."""

    staff_id: int
    epoch: int
    """`Staff.session_epoch` when it began; the session is over when the two differ."""
    nonce: str
    """Random for each session; forms send it back."""


def sign_customer(settings: Settings, number: str, *, now: datetime) -> str:
    """Return the token a shop's page hands to the widget for the customer called `number`."""
    claims = {
        "sub": number,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + LONGEST_TOKEN,
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, _key(settings), algorithm=ALGORITHM)


def verify_customer(settings: Settings, token: str, *, now: datetime) -> str:
    """Return the number of the customer a token was signed for.

    Raises:
        NotAllowedError: it is forged, over, or made to live longer than 15 minutes.
    """
    try:
        claims = jwt.decode(
            token,
            _key(settings),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={
                "require": ["sub", "aud", "iat", "exp"],
                # Against the given time, below: the library would read the clock.
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        issued, expires = int(claims["iat"]), int(claims["exp"])
    except (jwt.InvalidTokenError, TypeError, ValueError) as error:
        raise NotAllowedError(SIGN_IN_AGAIN) from error
    skew = 60
    moment = now.timestamp()
    too_long = expires - issued > LONGEST_TOKEN.total_seconds()
    if too_long or moment >= expires or issued > moment + skew:
        raise NotAllowedError(SIGN_IN_AGAIN)
    return str(claims["sub"])


def new_visitor(settings: Settings) -> tuple[str, str]:
    """Return a new visitor's id, and the signed form of it that the page keeps."""
    visitor = secrets.token_urlsafe(16)
    return visitor, _visitors(settings).dumps(visitor)


def verify_visitor(settings: Settings, signed: str) -> str:
    """Return the visitor's id.

    Raises:
        NotAllowedError: we did not sign this.
    """
    try:
        return str(_visitors(settings).loads(signed))
    except BadSignature as error:
        raise NotAllowedError("This visitor id is not one of ours.") from error


def sign_staff(settings: Settings, staff: Staff) -> str:
    """Return the cookie of a new session of this member of staff."""
    return _sessions(settings).dumps([staff.id, staff.session_epoch, secrets.token_urlsafe(16)])


def verify_staff(settings: Settings, cookie: str) -> StaffSession:
    """Return the session a cookie was signed for.

    Raises:
        NotAllowedError: we did not sign it, or it is too old. Whether it was ended before its
            time, the caller asks `find_member`.
    """
    try:
        staff_id, epoch, nonce = _sessions(settings).loads(cookie, max_age=SESSION_S)
    except (BadSignature, ValueError, TypeError) as error:
        raise NotAllowedError(SIGN_IN_AGAIN) from error
    return StaffSession(int(staff_id), int(epoch), str(nonce))


def find_member(database: Database, session: StaffSession) -> Staff | None:
    """Return whose session it is, or None: it was ended, or the person works here no more."""
    with database.read() as db:
        staff = db.get(Staff, session.staff_id)
    is_open = staff is not None and staff.active and staff.session_epoch == session.epoch
    return staff if is_open else None


def _key(settings: Settings) -> str:
    return (settings.identity_key or settings.secret_key).get_secret_value()


def _visitors(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key.get_secret_value(), salt="visitor")


def _sessions(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt="staff-session")
