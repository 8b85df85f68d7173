"""What can go wrong while collecting, one tree for the service.

    IpsecmonError
    ├── ConfigError     (ValueError)   the configuration file is wrong (config)
    ├── CredentialError (LookupError)  a secret cannot be had (credentials)
    ├── UnknownDevice   (LookupError)  no such device in the configuration (app)
    ├── HostKeyFileError (OSError)    the file of host keys cannot be written (sessions.known_hosts)
    ├── ListenFailed    (OSError)      the address to serve on is not to be had (server)
    ├── HistoryUnusable                the history is another program's, or a newer version's (history)
    ├── SettingRefused                 a change of a threshold makes no sense (alerting)
    ├── HistoryUnreadable (LookupError) there is no history, or it cannot be read (history)
    └── CollectionError            one poll of one device failed; carries device, stage and reason
        ├── NameNotResolved        dns
        ├── ConnectFailed          connect    (ConnectionError)
        ├── KeyExchangeFailed      kex        (ConnectionError)
        ├── HostKeyRejected        hostkey    (PermissionError)
        ├── AuthenticationFailed   auth       (PermissionError)
        │   └── KeyUnusable                   the device was not tried
        ├── JumpLoginFailed        auth       (PermissionError)
        │   └── JumpLoginRefused
        ├── CredentialRested       auth       (PermissionError)
        ├── PrivilegeDenied        privilege  (PermissionError)
        ├── PromptNotFound         prompt
        ├── ConnectionClosed       closed     (ConnectionError)
        │   └── LoginClosed                   before there was a session
        ├── AnswerTimeout          timeout    (TimeoutError)
        │   └── LoginTimeout                  before there was a session
        ├── LoginsBusy             timeout    (TimeoutError), the device was not tried
        └── AnswerTooLarge         other

The parsers have their own tree (``ipsecmon_parsers.errors``); the edge of a poll turns both into a ``PollError``.
"""

from __future__ import annotations

from typing import ClassVar

from ipsecmon.model import Reason, Stage

__all__ = [
    "AnswerTimeout",
    "AnswerTooLarge",
    "AuthenticationFailed",
    "CollectionError",
    "ConnectFailed",
    "ConnectionClosed",
    "CredentialRested",
    "HostKeyRejected",
    "IpsecmonError",
    "JumpLoginFailed",
    "JumpLoginRefused",
    "KeyExchangeFailed",
    "KeyUnusable",
    "LoginClosed",
    "LoginTimeout",
    "LoginsBusy",
    "NameNotResolved",
    "PrivilegeDenied",
    "PromptNotFound",
]


class IpsecmonError(Exception):
    """Base of all errors of the service."""


class CollectionError(IpsecmonError):
    """One poll of one device failed; the message is one sentence: what, where, what to do."""

    stage: ClassVar[Stage]
    reason: ClassVar[Reason]
    is_attempt: ClassVar[bool] = True
    """Whether the device was tried at all; what never reached it does not count against it."""

    def __init__(self, message: str, command: str | None = None, *, evidence: str = "") -> None:
        """``evidence``: the last that came from the device, at most 200 printable characters."""
        super().__init__(message)
        self.command = command
        self.evidence = evidence


class NameNotResolved(CollectionError):
    """The host name has no address."""

    stage = Stage.RESOLVE
    reason = Reason.DNS


class ConnectFailed(CollectionError, ConnectionError):
    """No TCP connection, or no SSH server behind it."""

    stage = Stage.CONNECT
    reason = Reason.CONNECT


class KeyExchangeFailed(CollectionError, ConnectionError):
    """The two sides share no SSH algorithm."""

    stage = Stage.CONNECT
    reason = Reason.KEX


class HostKeyRejected(CollectionError, PermissionError):
    """The device's host key is unknown, or not the one we know."""

    stage = Stage.HOSTKEY
    reason = Reason.HOSTKEY


class AuthenticationFailed(CollectionError, PermissionError):
    """The device, or a jump host on the way to it, refused the user name, the password or the key."""

    stage = Stage.AUTH
    reason = Reason.AUTH

    def __init__(
        self,
        message: str,
        command: str | None = None,
        *,
        evidence: str = "",
        jump_host: str | None = None,
    ) -> None:
        """``jump_host``: the name of the one that refused, ``None`` for the device itself."""
        super().__init__(message, command, evidence=evidence)
        self.jump_host = jump_host


class KeyUnusable(AuthenticationFailed):
    """Our own key cannot be read, or no agent answers: no device has refused anything."""

    is_attempt = False


class CredentialRested(CollectionError, PermissionError):
    """Not tried: several devices in a row have refused this credential."""

    stage = Stage.AUTH
    reason = Reason.AUTH
    is_attempt = False


class JumpLoginFailed(CollectionError, PermissionError):
    """No login to a jump host; it says nothing of the credentials for the devices behind it."""

    stage = Stage.AUTH
    reason = Reason.AUTH


class JumpLoginRefused(JumpLoginFailed):
    """The jump host refused the user name, the password or the key."""


class PrivilegeDenied(CollectionError, PermissionError):
    """``enable`` was refused or there is no secret for it."""

    stage = Stage.PRIVILEGE
    reason = Reason.PRIVILEGE


class PromptNotFound(CollectionError):
    """The device lets us in but never shows a prompt."""

    stage = Stage.CONNECT
    reason = Reason.PROMPT


class ConnectionClosed(CollectionError, ConnectionError):
    """The device closed the session before its answer was complete."""

    stage = Stage.COMMAND
    reason = Reason.CLOSED


class LoginClosed(ConnectionClosed):
    """The device closed the connection before there was a session."""

    stage = Stage.CONNECT


class AnswerTimeout(CollectionError, TimeoutError):
    """The answer stopped coming, or took longer than the poll may."""

    stage = Stage.COMMAND
    reason = Reason.TIMEOUT


class LoginTimeout(AnswerTimeout):
    """The login took longer than it may."""

    stage = Stage.CONNECT


class LoginsBusy(CollectionError, TimeoutError):
    """Too many devices are being logged in to: this one was not tried."""

    stage = Stage.CONNECT
    reason = Reason.TIMEOUT
    is_attempt = False


class AnswerTooLarge(CollectionError):
    """The device sent more than any answer can be."""

    stage = Stage.COMMAND
    reason = Reason.OTHER
