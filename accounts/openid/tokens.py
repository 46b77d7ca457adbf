"""ID tokens: whom a provider has signed in, as it signed it (OpenID Connect Core 1.0, 3.1.3.7).

Without Django or sockets. allauth leaves the signature of a token that came over TLS
unchecked, knows of no nonce, and takes a token without an end; here all of that counts.
"""

import hmac

import jwt

# Public keys only: with HS256 whoever holds the client secret could sign, and a public key
# that is taken for a shared secret would let anybody.
ALGORITHMS = frozenset(
    (*("RS256", "RS384", "RS512"), *("PS256", "PS384", "PS512"), *("ES256", "ES384", "ES512"), "EdDSA")
)
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
LEEWAY_SECONDS = 60  # how far apart the clocks may be


class InvalidToken(Exception):
    """An ID token that proves nothing; str() says why, without the token."""


def verify(token, keys, *, issuer: str, client_id: str, nonce: str) -> dict:
    """Return the claims of an ID token that `keys`, the provider's JWK set, prove.

    Raises InvalidToken.
    """
    try:
        key = _signing_key(jwt.get_unverified_header(token), keys)
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "strict_aud": False},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise InvalidToken(f"{type(error).__name__}: {error}") from None
    # With several audiences, the party it was issued for is the one that counts.
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise InvalidToken("it was issued for another client (azp)")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise InvalidToken("it does not belong to this sign-in (nonce)")
    return claims


def _signing_key(header: dict, keys) -> jwt.PyJWK:
    """The key of the set that a token says it is signed by."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise InvalidToken(
            f"it is signed with {algorithm}, and only {', '.join(sorted(ALGORITHMS))} can be trusted"
        )
    offered = keys.get("keys") if isinstance(keys, dict) else None
    for key in offered if isinstance(offered, list) else ():
        if isinstance(key, dict) and _may_sign(key, algorithm) and (kid is None or key.get("kid") == kid):
            return jwt.PyJWK(key, algorithm=algorithm)
    raise InvalidToken(f"none of the provider's keys is {kid!r} for {algorithm}")


def _may_sign(key: dict, algorithm: str) -> bool:
    families = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    return (
        key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and key.get("kty") == families[algorithm[:2]]
    )
