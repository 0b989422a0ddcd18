"""What an identity provider makes, by PyJWT. Usage: tokens.py ISSUER; prints {"keys": [...], "tokens": {ALGORITHM: TOKEN}}"""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

(issuer,) = sys.argv[1:]
rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
private = {
    **{method: rsa_key for method in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]},
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
keys, tokens = [], {}
for method, key in private.items():
    public = jwt.get_algorithm_by_name(method).to_jwk(key.public_key(), as_dict=True)
    keys.append({**public, "kid": method, "alg": method, "use": "sig"})
    claims = {"iss": issuer, "aud": "tithe", "sub": f"user of {method}", "exp": int(time.time()) + 600}
    if method.startswith("ES"):
        claims["groups"] = {"ES256": ["taipei", "稽核"], "ES384": ["kaohsiung"]}[method]
    tokens[method] = jwt.encode(claims, key, algorithm=method, headers={"kid": method})
print(json.dumps({"keys": keys, "tokens": tokens}))
