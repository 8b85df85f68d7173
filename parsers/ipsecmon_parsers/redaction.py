"""Hides keys, passwords and secrets in a configuration before anything else sees them.

What is hidden here is in no record, no unparsed line and no error: every value becomes ``***``, line for line. A
line that names a secret is cut behind the word that names it rather than read, so that a key with a blank in it,
a key on a cut line and a syntax of a release we have not met are hidden as well. What follows a key and is no
part of it is kept: the peer of ``crypto isakmp key``, the type digit that says how the key is stored::

    crypto isakmp key 6 *** address 192.0.2.1
    pre-shared-key address 192.0.2.1 255.255.255.255 key ***
    username admin privilege 15 secret 5 ***
"""

from __future__ import annotations

import re

__all__ = [
    "HIDDEN",
    "hide_every_secret",
    "hide_key_table",
    "hide_secrets",
    "hide_typed_secrets",
]

HIDDEN = "***"

# lines that hold such a word and no secret
_HARMLESS = re.compile(
    r"""
    ^[ ]*(?:no[ ]+)?(?:
      (?:description|remark|!|hostname[ ]\S+$|interface|version)(?![^ ])
    | access-list[ ]
    | crypto[ ]+key[ ]+(?:generate|param|pubkey-chain)\b
    | key[ ]+chain[ ]+\S+$
    | hash[ ]+md5$
    # algorithms in the order of preference: what follows "md5" is the next one
    | (?:protocol[ ]+esp[ ]+)?(?:integrity|prf)(?:[ ]+(?:md5|sha-?\d+|sha|null))+[ ]*$
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ISAKMP_KEY = re.compile(
    r"^( *(?:no +)?(?:crypto +)?isakmp +key +)(.*?)((?: +(?:address|hostname)\b.*)?)$",
    re.IGNORECASE,
)
_TYPED = re.compile(r"^([0-9]|hex|local|remote|encrypted|ascii) +(?=\S)")
_NAMED = re.compile(
    r"""
    (?<![^ ])(?P<name>
      (?:ikev[12][ ]+(?:remote-authentication[ ]+|local-authentication[ ]+)?)?pre-shared-key(?![ ]+(?:address|hostname)\b)
    | pre-share(?=[ ]+key\b)[ ]+key
    | authentication-key | message-digest-key[ ]+\d+[ ]+md5 | md5
    | key-string | key-hash | config-key[ ]+\S+ | shared-secret | sharedkey
    | key | password | passphrase | secret | community | psk | auth | priv
    | session-key[ ]+\S+[ ]+\S+[ ]+\S+                 # inbound esp 256 cipher ...: keys set by hand
    | nhrp[ ]+authentication | authentication[ ]+text
    )[ ]+(?P<value>\S.*)$
    """,
    re.VERBOSE | re.IGNORECASE,
)
# the same words in a line that lost its blanks
_GLUED = re.compile(
    r"^[ ]*\S*?(?:pre-share|isakmp.?key|key-string|session-key|password|passphrase|secret)\S+$",
    re.IGNORECASE,
)
_SUSPECT = re.compile(r"key|passw|passp|secret|community|psk|md5|auth|priv", re.IGNORECASE)


def hide_secrets(text: str) -> str:
    """``text`` with ``***`` for every key, password, secret, community and key string; same number of lines."""
    if not _SUSPECT.search(text):
        return text
    lines = text.split("\n")
    in_key_string = False
    for index, line in enumerate(lines):
        if in_key_string:
            # the body of "key-string" ends at "quit" or where the indentation says so
            in_key_string = line.strip() != "quit" and line[:1] == " "
            if in_key_string:
                lines[index] = re.sub(r"\S.*", HIDDEN, line)
                continue
        if not _SUSPECT.search(line):
            continue
        in_key_string = line.strip() == "key-string"
        lines[index] = _hide(line)
    return "\n".join(lines)


def _hide(line: str) -> str:
    if _HARMLESS.match(line):
        return line
    if match := _ISAKMP_KEY.match(line):
        begin, key, peer = match.groups()
        return f"{begin}{_typed(key)}{peer}" if key else line
    if match := _NAMED.search(line):
        return f"{line[: match.start('value')]}{_typed(match['value'])}"
    return HIDDEN if _GLUED.match(line) else line


def _typed(value: str) -> str:
    """The words that say how a key is stored stay before it."""
    kept = ""
    while match := _TYPED.match(value):
        kept += match.group()
        value = value[match.end() :]
    return f"{kept}{HIDDEN}"


# "Password: ..." at a login, "psk=..." in somebody's notes: beside an output, never part of one
_TYPED_SECRET = re.compile(
    r"((?:pass(?:word|wd|phrase|code)(?:[ ]+for[ ]+\S+?)?|(?<![A-Za-z])(?:secret|psk|pre-?shared[- ]key|community))[ ]*[:=][ ]*"
    r"|(?<![A-Za-z])key=[ ]*)(?=\S)[^\n]*",
    re.IGNORECASE,
)


def hide_typed_secrets(text: str) -> str:
    """``text`` without what stands behind ``password:``, ``psk=`` and the like; same number of lines."""
    return _TYPED_SECRET.sub(rf"\1{HIDDEN}", text)


_HEADER = re.compile(r"^ *Keyring +Hostname/Address +Preshared Key *$", re.IGNORECASE)
_ADDRESS = r"(?:\d+(?:\.\d+){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)(?:/\d+)?"
_MASK = r"(?: +\[[0-9A-Fa-f.:/]*\])?"
_KEY_ROW = re.compile(
    rf"^(?P<place> +{_ADDRESS}{_MASK}|{_ADDRESS}{_MASK}| +\S+(?= +\S)|\S+ +{_ADDRESS}{_MASK}|\S+ +\S+(?= +\S))"
    r"(?:(?P<gap> +)(?P<key>.*))?$"
)


def hide_key_table(text: str) -> str:
    """``show crypto isakmp key``: the last column hidden, and a line that is no row hidden whole."""
    return "\n".join(_hide_row(line) for line in text.split("\n"))


def _hide_row(line: str) -> str:
    if not line.strip() or _HEADER.match(line) or line.lstrip().startswith("%"):
        return line
    match = _KEY_ROW.match(line.rstrip())
    if match is None:
        return re.sub(r"\S.*", HIDDEN, line)
    return f"{match['place']}{match['gap']}{HIDDEN}" if match["key"] else match["place"]


# words of commands we know nothing of: "wpa-psk ascii 0 ...", "area-password ...", "passwd ... encrypted",
# "standby 1 authentication ...", "client 192.0.2.1 server-key ..."
_OTHER_NAMED = re.compile(
    r"""
    (?<![^ ])(?:
      \S*(?:password|passwd|passphrase|secret|community|[-_]psk|[-_]key|[-_]string)(?:[ ]*[:=(]+[ ]*|[ ]+)
    | (?:[^ :=(]*[ ])?(?:key|psk|secret)[ ]*[:=(]+[ ]*
    | standby[ ]+(?:\d+[ ]+)?authentication[ ]+
    )(?P<value>\S.*)$
    """,
    re.VERBOSE | re.IGNORECASE,
)
# "sa timing: remaining key lifetime (k/sec): (4607999/3585)", "Key size: 256 bits"
_ABOUT_A_KEY = re.compile(
    r"\bkey +(?:lifetime|size|length|exchange)\b[^:=]*[:=][^A-Za-z]*(?:bits?|bytes|secs?|seconds?)?$",
    re.IGNORECASE,
)
_LONGEST_FIGURE = 200


def hide_every_secret(text: str) -> str:
    """For the output of a command we do not know: ``hide_secrets`` and more, since nobody can say where a key may stand.

    Rather too much than too little is hidden. Figures about keys (a size, what is left of a lifetime) stay.
    """
    lines = text.split("\n")
    hidden = hide_secrets(text).split("\n")
    in_key_table = False
    for index, line in enumerate(lines):
        in_key_table = in_key_table or _HEADER.match(line) is not None
        if in_key_table:
            hidden[index] = _hide_row(hidden[index])
        elif len(line) < _LONGEST_FIGURE and _ABOUT_A_KEY.search(line):
            hidden[index] = line
        elif match := _OTHER_NAMED.search(hidden[index]):
            hidden[index] = f"{hidden[index][: match.start('value')]}{_typed(match['value'])}"
    return "\n".join(hidden)
