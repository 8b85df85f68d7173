"""A credential's name to a login, looked up anew at each connect so that a rotated password works without a restart.

    logins = Logins(config.credentials, config.vault)
    login = logins.resolve("lab")

One way through the folder: ``resolving`` asks the source of each secret (``sources``, ``commands``, ``vault``) and keeps what was
costly to get (``memory``); ``keys`` looks at private keys; ``breaker`` rests a credential that devices refuse.
"""

from __future__ import annotations

from ipsecmon.credentials.breaker import CredentialBreaker, CredentialRested
from ipsecmon.credentials.problems import CredentialError
from ipsecmon.credentials.resolving import Login, Logins

__all__ = ["CredentialBreaker", "CredentialError", "CredentialRested", "Login", "Logins"]
