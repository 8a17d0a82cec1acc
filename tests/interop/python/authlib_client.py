"""Authlib, with requests, against the server of the test that runs this: see ../program.rs for their words."""

import os

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
API_SCOPE = os.environ["API_SCOPE"]
TIME_LIMIT = 30


def authorize(url: str) -> str:
    """Sends the person to an authorization request; returns the URL their browser was sent to."""
    print("authorize", url, flush=True)
    return input()


def completed(what: str) -> None:
    print("completed", what, flush=True)


def get(url: str) -> dict:
    response = requests.get(url, timeout=TIME_LIMIT)
    response.raise_for_status()
    return response.json()


def main() -> None:
    metadata = get(f"{ISSUER}/.well-known/openid-configuration")
    session = OAuth2Session(
        CLIENT_ID,
        os.environ["CLIENT_SECRET"],
        token_endpoint_auth_method="client_secret_basic",
        revocation_endpoint_auth_method="client_secret_basic",
        scope=os.environ["SCOPE"],
        redirect_uri=os.environ["REDIRECT_URI"],
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
        default_timeout=TIME_LIMIT,
    )

    verifier, nonce = generate_token(48), generate_token()
    url, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    tokens = session.fetch_token(
        metadata["token_endpoint"], authorization_response=authorize(url), state=state, code_verifier=verifier
    )
    keys = KeySet.import_key_set(get(metadata["jwks_uri"]))
    signed = jwt.decode(
        tokens["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"]
    )
    expected = {"iss": {"values": [ISSUER]}, "aud": {"values": [CLIENT_ID]}}
    params = {"nonce": nonce, "client_id": CLIENT_ID, "access_token": tokens["access_token"]}
    id_token = CodeIDToken(signed.claims, signed.header, expected, params)
    id_token.validate()
    completed("authorization_code")

    about = session.get(metadata["userinfo_endpoint"]).json()
    assert about["sub"] == id_token["sub"], about
    completed("userinfo")

    refreshed = session.refresh_token(metadata["token_endpoint"])
    assert refreshed["refresh_token"] != tokens["refresh_token"], "the refresh token rotates"
    assert session.get(metadata["userinfo_endpoint"]).json() == about
    completed("refresh_token")

    machine = OAuth2Session(CLIENT_ID, os.environ["CLIENT_SECRET"], scope=API_SCOPE, default_timeout=TIME_LIMIT)
    own = machine.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert own["scope"] == API_SCOPE, own
    completed("client_credentials")

    def introspect(token: str) -> dict:
        return machine.introspect_token(metadata["introspection_endpoint"], token).json()

    known = introspect(own["access_token"])
    assert known["active"] and known["client_id"] == CLIENT_ID, known
    completed("introspection")

    session.revoke_token(
        metadata["revocation_endpoint"], refreshed["refresh_token"], token_type_hint="refresh_token"
    ).raise_for_status()
    assert introspect(refreshed["refresh_token"]) == {"active": False}
    try:
        session.refresh_token(metadata["token_endpoint"], refreshed["refresh_token"])
    except OAuthError as error:
        assert error.error == "invalid_grant", error
    else:
        raise AssertionError("a revoked refresh token was honoured")
    completed("revocation")


main()
