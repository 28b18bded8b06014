"""OpenID Connect: who signed in, as a signed token and as an answer; the key is this process's own, never kept."""

from base64 import urlsafe_b64encode
from datetime import datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from connectors.quickbooks.simulator_tokens import ACCESS_LIFE, Grant

KEY_ID = "simulator"
SUBJECT = "00000000-0000-4000-8000-000000000001"
PROFILE = {
    "sub": SUBJECT,
    "givenName": "Sam",
    "familyName": "Owner",
    "email": "owner@company.example",
    "emailVerified": True,
}


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def id_token(grant: Grant, issuer: str, now: datetime) -> str:
    """A token that says who signed in."""
    claims = {
        "sub": SUBJECT,
        "aud": [grant.client_id],
        "realmid": grant.realm_id,
        "iss": issuer,
        "auth_time": int(grant.granted_at.timestamp()),
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFE).timestamp()),
    }
    return jwt.encode(claims, _key(), algorithm="RS256", headers={"kid": KEY_ID})


def key_set() -> dict[str, Any]:
    """The public key, as a set of one."""
    numbers = _key().public_key().public_numbers()
    return {
        "keys": [
            {
                "kty": "RSA",
                "kid": KEY_ID,
                "use": "sig",
                "alg": "RS256",
                "n": _encoded(numbers.n),
                "e": _encoded(numbers.e),
            }
        ]
    }


def _encoded(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")
