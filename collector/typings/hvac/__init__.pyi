# The part of hvac that ipsecmon uses; the package itself is published without types.
from hvac import exceptions as exceptions

class _AppRole:
    def login(self, role_id: str, secret_id: str, *, mount_point: str) -> object: ...

class _Kubernetes:
    def login(self, role: str, jwt: str, *, mount_point: str) -> object: ...

class _Token:
    def renew_self(self) -> object: ...

class _Auth:
    approle: _AppRole
    kubernetes: _Kubernetes
    token: _Token

class Client:
    token: str
    auth: _Auth
    def __init__(
        self, *, url: str, token: str, verify: str | bool, timeout: float, namespace: str | None
    ) -> None: ...
    def read(self, path: str) -> object: ...
