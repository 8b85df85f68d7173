"""A device of the configuration to what a session must know of it, with its secrets as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ipsecmon.config import Config, Device, Secret
from ipsecmon.credentials import Login, Logins
from ipsecmon.log import Redactor
from ipsecmon.sessions import JumpHost, PrivateKey, Target
from ipsecmon.sessions.host_keys import HostKeys
from ipsecmon.sessions.jumps import jump_host

__all__ = ["Targets"]


class Targets:
    """The targets of one configuration; safe to use from many threads.

    Credentials are looked up at each call, so that a rotated password needs no restart.
    """

    def __init__(
        self,
        config: Config,
        redactor: Redactor,
        *,
        host_keys: HostKeys | None = None,
        logins: Logins | None = None,
        typed: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        check, known_hosts = config.host_keys.check, config.host_keys.known_hosts
        self.logins = logins or Logins(config.credentials, config.vault, redact=redactor.add)
        self.host_keys = host_keys or HostKeys(check, known_hosts)
        self._config = config
        self._redactor = redactor
        self._typed = dict(typed or {})

    def renewed(self, config: Config) -> Targets:
        """Those of another configuration; what was found out so far goes on as far as it still holds."""
        was, now = self._config.host_keys, config.host_keys
        is_same = (was.check, was.known_hosts) == (now.check, now.known_hosts)
        # sessions that are kept were opened with them
        typed = {device.name: self.typed(device.name) for device in config.devices}
        return Targets(
            config,
            self._redactor,
            host_keys=self.host_keys if is_same else None,
            logins=self.logins.renewed(config.credentials, config.vault),
            typed=typed,
        )

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
            jumps=self.jump_hosts(settings.jumps, settings.timing.connect_timeout),
        )

    def typed(self, device: str) -> tuple[str, ...]:
        """The secrets that were last sent to this device."""
        return self._typed.get(device, ())

    def jump_hosts(self, names: Iterable[str], connect_timeout: float) -> tuple[JumpHost, ...]:
        """These jump hosts of the configuration, in this order; raises ``CredentialError``."""
        return tuple(
            jump_host(
                name,
                self._config.jump_hosts[name],
                self.logins.resolve(self._config.jump_hosts[name].credentials),
                self.host_keys.policy(name),
                connect_timeout,
            )
            for name in names
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
