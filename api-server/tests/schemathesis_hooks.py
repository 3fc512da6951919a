"""What schemathesis can't make up: a browser that is logged in, a login under way, a logout token.

Loaded through SCHEMATHESIS_HOOKS by `cargo xtask test`. Every case that needs a session gets a new one, by a whole login
at the simulated Auth0: some of them end it.
"""

import base64
import hashlib
import os
import uuid
from urllib.parse import parse_qsl, urlsplit

import requests
import schemathesis

API = os.environ["EDGE_AUTH_API"]
ISSUER = os.environ["EDGE_AUTH_ISSUER"]
CLIENT_ID = os.environ["EDGE_AUTH_CLIENT_ID"]
USER = {"username": "ada@example.com", "password": "test-only-password"}
SUBJECT = "auth0|user-1"
SESSION = "__Host-edge-session"
LOGIN = "__Host-edge-login"
VERIFIER = "a-verifier-that-only-the-page-knows-0123456789"

# The provider knows its browser after the first login, and shows no form again.
provider = requests.Session()


def to_provider(url: str) -> dict[str, str]:
    """Logs in at the provider's page; answers what the browser would bring back."""
    answer = provider.get(url, allow_redirects=False, timeout=10)
    if "/u/login" in answer.headers["location"]:
        form = ISSUER + answer.headers["location"]
        answer = provider.post(form, data=USER, allow_redirects=False, timeout=10)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def begin(path: str) -> requests.Response:
    return requests.get(API + path, allow_redirects=False, timeout=10)


def session() -> str:
    """The cookie of a new session."""
    begun = begin("/api/v1/auth/login")
    returned = to_provider(begun.headers["location"])
    finished = requests.get(
        API + "/api/v1/auth/callback",
        params=returned,
        headers={"cookie": f"{LOGIN}={begun.cookies[LOGIN]}"},
        allow_redirects=False,
        timeout=10,
    )
    return finished.cookies[SESSION]


def session_id(cookie: str) -> str:
    headers = {"cookie": f"{SESSION}={cookie}"}
    return requests.get(API + "/api/v1/auth/session", headers=headers, timeout=10).json()["id"]


def operation(case) -> str:
    return case.operation.definition.raw["operationId"]


def is_positive(case) -> bool:
    return case.meta is not None and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE


NEED_SESSION = [
    "getSession",
    "listSessions",
    "refreshSession",
    "logout",
    "endSession",
    "endAllSessions",
]


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=NEED_SESSION)
class Browser:
    """Logged in, anew for each case."""

    def get(self, case, context):
        return session()

    def set(self, case, data, context):
        case.cookies = {**(case.cookies or {}), SESSION: data}
        if operation(case) == "endSession" and is_positive(case):
            case.path_parameters = {**case.path_parameters, "id": session_id(data)}


@schemathesis.hook
def before_call(context, case, kwargs):
    if not is_positive(case):
        return
    if operation(case) == "finishLoginOfPage":
        digest = hashlib.sha256(VERIFIER.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        begun = begin(f"/api/v1/auth/login?code_challenge={challenge}")
        returned = to_provider(begun.json()["authorizationUrl"])
        case.cookies = {**(case.cookies or {}), LOGIN: begun.cookies[LOGIN]}
        case.body = {"code": returned["code"], "state": returned["state"], "codeVerifier": VERIFIER}
    elif operation(case) == "finishLogin":
        begun = begin("/api/v1/auth/login")
        case.cookies = {**(case.cookies or {}), LOGIN: begun.cookies[LOGIN]}
        case.query = to_provider(begun.headers["location"])
    elif operation(case) == "backchannelLogout":
        case.body = {"logout_token": logout_token()}


def logout_token() -> str:
    """As the provider sends it when a user logs out there (OpenID Connect Back-Channel Logout 1.0 §2.4)."""
    claims = {
        "aud": CLIENT_ID,
        "jti": str(uuid.uuid4()),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    asked = {"subject": SUBJECT, "claims": claims, "without": ["exp", "scope"]}
    return requests.post(ISSUER + "/sim/token", json=asked, timeout=10).json()["access_token"]
