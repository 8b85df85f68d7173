"""Names of algorithms -> one form each, whatever command or release printed them.

Both ends of a tunnel are compared by these words, and the ends differ in how they print them::

    AES - Advanced Encryption Standard (256 bit keys).   show crypto isakmp policy
    encr aes 256                                         running-config of IOS
    encryption aes-256                                   running-config of ASA
    AES-CBC-256                                          show crypto ikev2 proposal

All four are ``aes 256``. A word we do not know is kept in lower case.
"""

from __future__ import annotations

import re

from ipsecmon_parsers import values

__all__ = [
    "authentication",
    "dh_group",
    "dh_groups",
    "encryption",
    "integrity",
    "names",
    "transforms",
]

_AES = re.compile(r"aes(?:-cbc)?(?:[- ](128|192|256))?")
_AES_GCM = re.compile(r"(?:esp-)?aes-(gcm|gmac)(?:[- ](128|192|256))?")
_PRINTED_BITS = re.compile(r"\((\d+) bit")


def encryption(text: str) -> str:
    """The cipher of IKE with its key length: ``aes 128``, ``aes-gcm 256``, ``3des``, ``des``."""
    word = " ".join(text.lower().rstrip(".").split())
    if word.startswith("aes - "):
        bits = _PRINTED_BITS.search(word)
        return f"aes {bits[1]}" if bits else "aes"
    if word.startswith("des - "):
        return "des"
    if word.startswith("three key triple des"):
        return "3des"
    if match := _AES.fullmatch(word):
        return f"aes {match[1] or 128}"
    if match := _AES_GCM.fullmatch(word):
        return f"aes-{match[1]} {match[2] or 128}"
    return {"des-cbc": "des", "3des-cbc": "3des", "des3-cbc": "3des"}.get(word, word)


_HASHES = {
    "message digest 5": "md5",
    "md596": "md5",
    "hmac-md5": "md5",
    "secure hash standard": "sha",
    "sha1": "sha",
    "sha-1": "sha",
    "sha96": "sha",
    "sha-96": "sha",
}


def integrity(text: str) -> str:
    """The hash of IKE, the integrity or the PRF of IKEv2: ``md5``, ``sha`` (SHA-1), ``sha256``, ``sha384``, ``sha512``."""
    word = " ".join(text.lower().rstrip(".").split())
    if word.startswith("secure hash standard 2"):
        bits = _PRINTED_BITS.search(word)
        return f"sha{bits[1]}" if bits else word
    if match := re.fullmatch(r"sha-?(256|384|512)", word):
        return f"sha{match[1]}"
    return _HASHES.get(word, word)


_AUTHENTICATIONS = {
    "pre-shared key": "pre-share",
    "rivest-shamir-adleman signature": "rsa-sig",
    "rivest-shamir-adleman encryption": "rsa-encr",
    "elliptic curve digital signature algorithm": "ecdsa-sig",
    "elliptic curve digital signature": "ecdsa-sig",
}


def authentication(text: str) -> str:
    """How the peers prove who they are: ``pre-share``, ``rsa-sig``, ``rsa-encr``, ``ecdsa-sig``."""
    word = " ".join(text.lower().rstrip(".").split())
    return _AUTHENTICATIONS.get(word, word)


_GROUP = re.compile(r"(?:#|group ?|.*/group )?(\d+)(?: \(.*\))?", re.IGNORECASE)


def dh_group(text: str) -> int | None:
    """``#14 (2048 bit)``, ``14``, ``group14`` or ``DH_GROUP_2048_MODP/Group 14`` -> 14; ``none`` -> ``None``."""
    text = text.strip()
    if text.lower() in ("none", "(none)"):
        return None
    match = _GROUP.fullmatch(text)
    if match is None:
        raise ValueError("a Diffie-Hellman group such as 14 or group14")
    return int(match[1])


def dh_groups(text: str) -> tuple[int, ...]:
    """``14 19`` or ``DH_GROUP_256_ECP/Group 19 DH_GROUP_2048_MODP/Group 14`` -> all the numbers."""
    if re.fullmatch(r"[\d ]+", text):
        return tuple(int(word) for word in text.split())
    groups = re.findall(r"\S+/Group (\d+)", text)
    if not groups or re.sub(r"\S+/Group \d+", "", text).strip():
        raise ValueError("Diffie-Hellman groups such as 14 19 or DH_GROUP_2048_MODP/Group 14")
    return tuple(int(group) for group in groups)


def names(text: str) -> tuple[str, ...]:
    """``AES-CBC-256 AES-CBC-128`` -> its words."""
    return tuple(text.split())


_REVERSED = re.compile(r"esp-(\d+)-(aes|gcm|gmac)")
_JOINED = re.compile(r"(esp-(?:aes|gcm|gmac|aes-gcm|aes-gmac))-(\d+)")


def transforms(text: str) -> tuple[str, ...]:
    """The algorithms of a transform set, a key length behind its cipher as ``show crypto ipsec sa`` prints it.

    ``esp-192-aes esp-sha-hmac`` (``show crypto map``), ``esp-aes-192 esp-sha-hmac`` (ASA) and ``esp-aes 192
    esp-sha-hmac`` are ``("esp-aes 192", "esp-sha-hmac")``; ``esp-aes`` alone means 128 bits and stays as it is.
    """
    text = _REVERSED.sub(r"esp-\2 \1", text.lower())
    text = _JOINED.sub(r"\1 \2", text)
    return tuple(re.sub(r"^(esp-aes|esp-gcm) 128$", r"\1", name) for name in values.transform(text))
