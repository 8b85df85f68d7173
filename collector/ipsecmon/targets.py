"""A device of the configuration to what a session must know of it, with its secrets as they are now."""

from __future__ import annotations

from dataclasses import dataclass

from ipsecmon.config import Config, Device, Secret
from ipsecmon.credentials import Login, Logins
from ipsecmon.log import Redactor
from ipsecmon.sessions import JumpHost, PrivateKey, Target
from ipsecmon.sessions.host_keys import HostKeys

__all__ = ["Targets"]


class Targets:
    """The targets of one configuration; safe to use from many threads.

    Credentials are looked up at each call, so that a rotated password needs no restart.
    """

    def __init__(self, config: Config, redactor: Redactor) -> None:
        self.logins = Logins(config.credentials, config.vault, redact=redactor.add)
        self.host_keys = HostKeys(config.host_keys.check, config.host_keys.known_hosts)
        self._config = config
        self._typed: dict[str, tuple[str, ...]] = {}

    def target(self, device: Device) -> Target:
        """Raises ``CredentialError`` where a secret cannot be had."""
        settings = self._config.settings(device)
        login = _Shown.of(self.logins.resolve(settings.credentials))
        self._typed[device.name] = tuple(one for one in (login.password, login.enable) if one)
        return Target(
            device=device.name,
            host=device.host,
            port=device.port,
            platform=device.platform,
            transport=settings.transport,
            profile=settings.profile,
            username=login.username,
            password=login.password,
            enable_secret=login.enable,
            private_key=login.private_key,
            use_agent=login.use_agent,
            credential=settings.credentials,
            fingerprint=login.fingerprint,
            host_keys=self.host_keys.policy(device.name),
            connect_timeout=settings.timing.connect_timeout,
            read_timeout=settings.timing.read_timeout,
            jumps=tuple(
                self._jump_host(name, settings.timing.connect_timeout) for name in settings.jumps
            ),
        )

    def typed(self, device: str) -> tuple[str, ...]:
        """The secrets that were last sent to this device."""
        return self._typed.get(device, ())

    def _jump_host(self, name: str, connect_timeout: float) -> JumpHost:
        jump = self._config.jump_hosts[name]
        login = _Shown.of(self.logins.resolve(jump.credentials))
        return JumpHost(
            name=name,
            host=jump.host,
            port=jump.port,
            profile=jump.profile,
            username=login.username,
            password=login.password,
            private_key=login.private_key,
            use_agent=login.use_agent,
            host_keys=self.host_keys.policy(name),
            connect_timeout=connect_timeout,
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Shown:
    """A login with its secrets open, for as long as a target is made of it."""

    username: str
    password: str | None
    enable: str | None
    private_key: PrivateKey | None
    use_agent: bool
    fingerprint: bytes

    @classmethod
    def of(cls, login: Login) -> _Shown:
        key = login.key
        return cls(
            username=login.username,
            password=_open(login.password),
            enable=_open(login.enable),
            private_key=PrivateKey(file=key, passphrase=_open(login.passphrase)) if key else None,
            use_agent=login.agent,
            fingerprint=login.fingerprint,
        )


def _open(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
