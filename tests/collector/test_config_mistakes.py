"""Each mistake that a configuration file can hold, and the exact message it gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipsecmon.config import ConfigError, load_config

# what it is about, the file, the messages
CASES: list[tuple[str, str, list[str]]] = [
    (
        "empty file",
        "",
        [
            "ipsecmon.yml:1:1: found an empty file, accepted: a mapping with the keys poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "only comments",
        """\
# nothing
""",
        [
            "ipsecmon.yml:1:1: found an empty file, accepted: a mapping with the keys poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "a text",
        """\
hello
""",
        [
            "ipsecmon.yml:1:1: found a text (not shown), accepted: a mapping with the keys poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "a list",
        """\
- name: Site1
""",
        [
            "ipsecmon.yml:1:1: found a list, accepted: a mapping with the keys poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "two documents",
        """\
poll: {}
---
poll: {}
""",
        [
            "ipsecmon.yml:2:1: found a second document (a line ---), accepted: one document in one file",
        ],
    ),
    (
        "a tab",
        "credentials:\n  lab: {username: monitor, password: {env: LAB}}\ndevices:\n  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}\npoll:\n\tinterval: 30s\n",
        [
            "ipsecmon.yml:6:1: found a tab, accepted: spaces before a key",
        ],
    ),
    (
        "at sign",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll:
  interval: @30s
""",
        [
            "ipsecmon.yml:6:13: found a value that starts with @, accepted: the value in quotes",
        ],
    ),
    (
        "colon in value",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
web: listen: 1
""",
        [
            "ipsecmon.yml:5:12: found a ':' where no key can stand, accepted: one 'key: value' on a line, in line with its neighbours; a text with ': ' in quotes",
        ],
    ),
    (
        "deeper than its neighbours",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll:
  interval: 30s
    timeout: 30s
""",
        [
            "ipsecmon.yml:7:12: found a ':' where no key can stand, accepted: one 'key: value' on a line, in line with its neighbours; a text with ': ' in quotes",
        ],
    ),
    (
        "less deep than its neighbours",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll:
    interval: 30s
  timeout: 30s
""",
        [
            "ipsecmon.yml:7:3: found a line that is not in line with the lines above, accepted: the same number of spaces before all keys, or all items, of one block",
        ],
    ),
    (
        "no colon",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll
web: {}
""",
        [
            "ipsecmon.yml:6:1: found a line without a ':', accepted: 'key: value', or '- ' before an item of a list",
        ],
    ),
    (
        "dash behind a key",
        """\
devices: - name: Site1
""",
        [
            "ipsecmon.yml:1:10: found a '- ' behind a key, accepted: the first '- ' on a line of its own below the key",
        ],
    ),
    (
        "open quote",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll:
  interval: '30s
web: {}
""",
        [
            "ipsecmon.yml:6:13: found the end of the file inside quotes, accepted: a closing quote",
        ],
    ),
    (
        "open list",
        """\
devices: [{name: Site1}
""",
        [
            "ipsecmon.yml:1:24: found a list that is not closed, accepted: a ',' or a ']'",
        ],
    ),
    (
        "open mapping",
        """\
poll: {interval: 30s
web: 1
""",
        [
            "ipsecmon.yml:2:4: found a mapping that is not closed, accepted: a ',' or a '}'",
        ],
    ),
    (
        "bad escape",
        r"""web: {listen: "\q"}
""",
        [
            "ipsecmon.yml:1:15: found an unknown escape sequence (\\) in double quotes, accepted: a text with \\ in single quotes",
        ],
    ),
    (
        "text behind quotes",
        """\
web:
  listen: '127.0.0.1':9818
""",
        [
            "ipsecmon.yml:2:22: found a text behind a finished value, accepted: one value; a text that starts with a quote or a bracket stands in quotes as a whole",
        ],
    ),
    (
        "IPv6 without quotes",
        """\
web:
  listen: [::1]:9818
""",
        [
            'ipsecmon.yml:2:12: found a special character where a value starts, accepted: the value in quotes, such as "[::1]:9818"',
        ],
    ),
    (
        "closing bracket",
        """\
poll: {interval: 30s}}
""",
        [
            "ipsecmon.yml:1:22: found a closing bracket too many, accepted: one for each opening bracket",
        ],
    ),
    (
        "star",
        """\
poll:
  interval: *
""",
        [
            "ipsecmon.yml:2:14: found a value that starts with * or &, accepted: the value in quotes",
        ],
    ),
    (
        "alias",
        """\
poll:
  interval: *name
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:13: poll.interval: found an alias (*name) without an anchor (&name) above it, accepted: the name of an anchor; a text that starts with * stands in quotes",
        ],
    ),
    (
        "alias in itself",
        """\
poll: &poll
  interval: *poll
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:13: poll.interval: found an alias (*name) inside the value that it stands for, accepted: an alias of a value above it",
        ],
    ),
    (
        "tag",
        """\
poll:
  interval: !vault 30s
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:13: poll.interval: found a tag (a word that starts with !), accepted: values without tags",
        ],
    ),
    (
        "percent",
        """\
%YAML 9.9
---
poll: {}
""",
        [
            "ipsecmon.yml:1:1: found a line that starts with %, accepted: YAML 1.1 without directives",
        ],
    ),
    (
        "block text",
        """\
poll: |x
  a
""",
        [
            "ipsecmon.yml:1:8: found a text behind | or >, accepted: the text on the lines below; a value that starts with a special character stands in quotes",
        ],
    ),
    (
        "huge escape",
        r"""web: {listen: "\UFFFFFFFF"}
""",
        [
            "ipsecmon.yml:1:16: found an escape sequence for a character that does not exist, accepted: \\U0010ffff at most",
        ],
    ),
    (
        "too deep",
        """\
poll: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
""",
        [
            "ipsecmon.yml:1:27: found values nested more than 20 deep, accepted: the keys of CONFIGURATION.md",
        ],
    ),
    (
        "control character",
        "poll:\n  interval: \x07\n",
        [
            "ipsecmon.yml:2:13: found the control character 0x07, accepted: text; this looks like a binary file",
        ],
    ),
    (
        "list as key",
        """\
? [poll]
: 1
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:3: found something other than a word in place of a key, accepted: a word as key",
        ],
    ),
    (
        "duplicate key",
        """\
poll:
  interval: 30s
  timeout: 20s
  interval: 60s
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:4:3: poll.interval: found this key again, first on line 2, accepted: each key once",
        ],
    ),
    (
        "duplicate section",
        """\
web: {}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
web: {}
""",
        [
            "ipsecmon.yml:6:1: web: found this key again, first on line 1, accepted: each key once",
        ],
    ),
    (
        "bad merge",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
poll:
  <<: 30s
""",
        [
            "ipsecmon.yml:6:7: poll: found something else behind '<<', accepted: an alias (*name) of a mapping with at most 100 keys, or a list of them",
        ],
    ),
    (
        "merge twice",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
web: &web {}
poll:
  <<: *web
  <<: *web
""",
        [
            "ipsecmon.yml:8:3: poll: found '<<' again, first on line 7, accepted: each key once",
        ],
    ),
    (
        "unknown section",
        """\
pol: {interval: 30s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:1: pol: found an unknown key (did you mean 'poll'?), accepted: poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "unknown key",
        """\
poll: {intervals: 30s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.intervals: found an unknown key (did you mean 'interval'?), accepted: interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan",
        ],
    ),
    (
        "unknown key, nothing near",
        """\
poll: {colour: 30s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.colour: found an unknown key, accepted: interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan",
        ],
    ),
    (
        "unknown key of a device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, device_type: ios, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:4:35: devices[0].device_type: found an unknown key, accepted: name, host, port, platform, credentials, groups, interval, timeout, read_timeout, connect_timeout, stale_after, transport, ssh_profile, jump, persistent, max_session_age, plan, cpu_limit",
        ],
    ),
    (
        "unknown key of a credential",
        """\
credentials:
  lab:
    user: monitor
    username: monitor
    password: {env: LAB}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:5: credentials.lab: found an unknown key (did you mean 'username'?), accepted: username, password, enable, key, passphrase, agent",
        ],
    ),
    (
        "no sections",
        """\
poll: {interval: 30s}
""",
        [
            "ipsecmon.yml:1:1: credentials: found no such key, accepted: a mapping of names, each with the keys username, password, enable, key, passphrase, agent",
            "ipsecmon.yml:1:1: devices: found no such key, accepted: a list of at least one mapping with the keys name, host, port, platform, credentials, groups, interval, timeout, read_timeout, connect_timeout, stale_after, transport, ssh_profile, jump, persistent, max_session_age, plan, cpu_limit, or a source under 'inventory'",
        ],
    ),
    (
        "missing keys of a device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - host: 92.1.1.1
    port: 22
""",
        [
            "ipsecmon.yml:4:5: devices[0].credentials: found no such key here, in its groups or under 'defaults', accepted: a name under 'credentials'",
            "ipsecmon.yml:4:5: devices[0].name: found no such key, accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
            "ipsecmon.yml:4:5: devices[0].platform: found no such key here, in its groups or under 'defaults', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "missing keys of a credential",
        """\
credentials:
  lab:
    enable: {env: LAB}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: credentials.lab: found nothing to log in with, accepted: 'password', 'key', 'agent: true' or several of them",
            "ipsecmon.yml:2:3: credentials.lab.username: found no such key, accepted: a text on one line, or {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}}",
        ],
    ),
    (
        "empty value",
        """\
poll:
  interval:
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: poll.interval: found an empty value, accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "empty section",
        """\
poll:
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:1: poll: found an empty value, accepted: a mapping with the keys interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan",
        ],
    ),
    (
        "section is a list",
        """\
poll: [30s]
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:1: poll: found a list, accepted: a mapping with the keys interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan",
        ],
    ),
    (
        "section is a text",
        """\
poll: often
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:1: poll: found 'often', accepted: a mapping with the keys interval, timeout, read_timeout, connect_timeout, stale_after, workers, login_workers, commands_in_flight, backoff_longest, plan",
        ],
    ),
    (
        "duration unit",
        """\
poll: {interval: 5 minutes}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.interval: found '5 minutes', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "duration of zero",
        """\
poll: {interval: 0s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.interval: found '0s', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "duration too long",
        """\
poll: {interval: 8d, timeout: 1s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.interval: found '8d', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "duration like a clock",
        """\
poll: {interval: 1:30}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.interval: found '1:30', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "duration is a list",
        """\
poll: {interval: [30s]}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.interval: found a list, accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "timeout over interval",
        """\
poll: {interval: 30s, timeout: 1m}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:23: poll.timeout: found '1m', accepted: at most 'interval' (30s)",
        ],
    ),
    (
        "read_timeout over timeout",
        """\
poll: {timeout: 20s, read_timeout: 21s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:22: poll.read_timeout: found '21s', accepted: at most 'timeout' (20s)",
        ],
    ),
    (
        "connect_timeout over default timeout",
        """\
poll: {interval: 5s, connect_timeout: 10s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:22: poll.connect_timeout: found '10s', accepted: at most 'timeout' (5s)",
        ],
    ),
    (
        "stale_after not over interval",
        """\
poll: {interval: 90s, stale_after: 90s}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:23: poll.stale_after: found '90s', accepted: more than 'interval' (90s)",
        ],
    ),
    (
        "workers",
        """\
poll: {workers: 0}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.workers: found '0', accepted: a whole number from 1 to 1000",
        ],
    ),
    (
        "workers in words",
        """\
poll: {workers: many}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:8: poll.workers: found 'many', accepted: a whole number from 1 to 1000",
        ],
    ),
    (
        "listen without port",
        """\
web: {listen: localhost}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:7: web.listen: found 'localhost', accepted: host:port, \"[::1]:port\" in quotes, or :port for every address",
        ],
    ),
    (
        "listen port only",
        """\
web: {listen: 9818}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:7: web.listen: found '9818', accepted: host:port, \"[::1]:port\" in quotes, or :port for every address",
        ],
    ),
    (
        "listen port too high",
        """\
web: {listen: ':99999'}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:7: web.listen: found ':99999', accepted: host:port, \"[::1]:port\" in quotes, or :port for every address",
        ],
    ),
    (
        "host key check",
        """\
host_keys: {check: none}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:13: host_keys.check: found 'none', accepted: strict, tofu, off",
        ],
    ),
    (
        "known_hosts",
        """\
host_keys: {known_hosts: {}}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:13: host_keys.known_hosts: found an empty mapping, accepted: the path of a file",
        ],
    ),
    (
        "credentials are a list",
        """\
credentials: [lab]
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:1: credentials: found a list, accepted: a mapping of names, each with the keys username, password, enable, key, passphrase, agent",
        ],
    ),
    (
        "no credential",
        """\
credentials: {}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:50: devices[0].credentials: found 'lab', accepted: a name under 'credentials'",
        ],
    ),
    (
        "credential is a text",
        """\
credentials:
  lab: hunter2
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: credentials.lab: found a text (not shown), accepted: a mapping with the keys username, password, enable, key, passphrase, agent",
        ],
    ),
    (
        "credential name",
        """\
credentials:
  my lab: {username: monitor, password: {env: LAB}}
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: credentials: found a name that cannot be used, accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
        ],
    ),
    (
        "credential name that pydantic uses for itself",
        """\
credentials:
  "[key]": text
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: credentials: found a name that cannot be used, accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
            "ipsecmon.yml:2:3: credentials: found a text (not shown), accepted: a mapping with the keys username, password, enable, key, passphrase, agent",
        ],
    ),
    (
        "username",
        r"""credentials:
  lab: {username: "moni\ntor", password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:9: credentials.lab.username: found a text (not shown), accepted: a text on one line, or {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}}",
        ],
    ),
    (
        "secret form",
        """\
credentials:
  lab: {username: monitor, password: {safe: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "two sources",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB, file: lab}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "environment name",
        """\
credentials:
  lab: {username: monitor, password: {env: my lab}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "shell variable",
        """\
credentials:
  lab: {username: monitor, password: '${LAB}'}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a text (not shown), accepted: {env: NAME}; ${NAME} is not expanded",
        ],
    ),
    (
        "line feed in a secret",
        r"""credentials:
  lab: {username: monitor, password: "a\nb"}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a text (not shown), accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "empty secret",
        """\
credentials:
  lab: {username: monitor, password: "", enable: }
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a text (not shown), accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
            "ipsecmon.yml:2:42: credentials.lab.enable: found an empty value, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "no devices",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices: []
""",
        [
            "ipsecmon.yml:3:1: devices: found an empty list, accepted: a list of at least one mapping with the keys name, host, port, platform, credentials, groups, interval, timeout, read_timeout, connect_timeout, stale_after, transport, ssh_profile, jump, persistent, max_session_age, plan, cpu_limit, or a source under 'inventory'",
        ],
    ),
    (
        "devices are a mapping",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices: {Site1: {host: 92.1.1.1}}
""",
        [
            "ipsecmon.yml:3:1: devices: found a mapping, accepted: a list of at least one mapping with the keys name, host, port, platform, credentials, groups, interval, timeout, read_timeout, connect_timeout, stale_after, transport, ssh_profile, jump, persistent, max_session_age, plan, cpu_limit",
        ],
    ),
    (
        "device is a text",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - Site1
""",
        [
            "ipsecmon.yml:4:5: devices[0]: found 'Site1', accepted: a mapping with the keys name, host, port, platform, credentials, groups, interval, timeout, read_timeout, connect_timeout, stale_after, transport, ssh_profile, jump, persistent, max_session_age, plan, cpu_limit",
        ],
    ),
    (
        "name",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site 1
    host: 92.1.1.1
    platform: ios
    credentials: lab
""",
        [
            "ipsecmon.yml:4:5: devices[0].name: found 'Site 1', accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
        ],
    ),
    (
        "host, not an IPv4 address",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.256
    platform: ios
    credentials: lab
""",
        [
            "ipsecmon.yml:5:5: devices[0].host: found '92.1.1.256', accepted: a host name, an IPv4 or an IPv6 address",
        ],
    ),
    (
        "host, not an IPv6 address",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: '2001:db8::g'
    platform: ios
    credentials: lab
""",
        [
            "ipsecmon.yml:5:5: devices[0].host: found '2001:db8::g', accepted: a host name, an IPv4 or an IPv6 address",
        ],
    ),
    (
        "host is a URL",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 'ssh://monitor:hunter2@92.1.1.1'
    platform: ios
    credentials: lab
""",
        [
            "ipsecmon.yml:5:5: devices[0].host: found 'ssh://***@92.1.1.1', accepted: a host name, an IPv4 or an IPv6 address",
        ],
    ),
    (
        "port",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
    port: 65536
""",
        [
            "ipsecmon.yml:8:5: devices[0].port: found '65536', accepted: a port from 1 to 65535",
        ],
    ),
    (
        "port in words",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
    port: ssh
""",
        [
            "ipsecmon.yml:8:5: devices[0].port: found 'ssh', accepted: a port from 1 to 65535",
        ],
    ),
    (
        "platform",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: junos
    credentials: lab
""",
        [
            "ipsecmon.yml:6:5: devices[0].platform: found 'junos', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "platform in capitals",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: IOS
    credentials: lab
""",
        [
            "ipsecmon.yml:6:5: devices[0].platform: found 'IOS', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "device interval",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
    interval: soon
""",
        [
            "ipsecmon.yml:8:5: devices[0].interval: found 'soon', accepted: a duration of 1s to 7d, such as 30s, 5m or 1h",
        ],
    ),
    (
        "device stale at once",
        """\
poll: {stale_after: 2m}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
    interval: 5m
""",
        [
            "ipsecmon.yml:9:5: devices[0].interval: found '5m', accepted: less than 'poll.stale_after' (2m)",
        ],
    ),
    (
        "tier",
        """\
metrics: {tier: full}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:11: metrics.tier: found 'full', accepted: minimal, standard, extended",
        ],
    ),
    (
        "unknown key of metrics",
        """\
metrics: {teir: standard}
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:1:11: metrics.teir: found an unknown key (did you mean 'tier'?), accepted: tier",
        ],
    ),
    (
        "unknown credential",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: labb
""",
        [
            "ipsecmon.yml:7:5: devices[0].credentials: found 'labb' (did you mean 'lab'?), accepted: a name under 'credentials': lab",
        ],
    ),
    (
        "unknown credential, nothing near",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: tacacs
""",
        [
            "ipsecmon.yml:7:5: devices[0].credentials: found 'tacacs', accepted: a name under 'credentials': lab",
        ],
    ),
    (
        "equal names",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
  - {name: Site1, host: 123.1.1.2, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:8:6: devices[1].name: found 'Site1' again, first on line 4, accepted: a name of its own for each device",
        ],
    ),
    (
        "equal name through a merge key",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - &one
    name: Site1
    host: 92.1.1.1
    platform: ios
    credentials: lab
  - <<: *one
    host: 123.1.1.2
""",
        [
            "ipsecmon.yml:9:5: devices[1].name: found 'Site1' again, first on line 5, accepted: a name of its own for each device",
        ],
    ),
    (
        "equal name through an alias",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - &one {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - *one
""",
        [
            "ipsecmon.yml:5:5: devices[1].name: found 'Site1' again, first on line 4, accepted: a name of its own for each device",
        ],
    ),
    (
        "mistake behind an anchor, used twice",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - &one
    name: Site1
    host: 92.1.1.1
    platform: nxos
    credentials: lab
  - <<: *one
    name: Site2
""",
        [
            "ipsecmon.yml:7:5: devices[0].platform: found 'nxos', accepted: ios, iosxe, asa",
        ],
    ),
    (
        "a mistake behind a byte order mark",
        "\ufeffpol: {}\ncredentials:\n  lab: {username: monitor, password: {env: LAB}}\ndevices:\n  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}\n",
        [
            "ipsecmon.yml:1:1: pol: found an unknown key (did you mean 'poll'?), accepted: poll, ssh, web, metrics, host_keys, history, templates, vault, credentials, jump_hosts, defaults, groups, inventory, devices, tunnels, links",
        ],
    ),
    (
        "history, an unknown key",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history: {file: history.sqlite}
""",
        [
            "ipsecmon.yml:5:11: history.file: found an unknown key, accepted: path, retention",
        ],
    ),
    (
        "history, a path where the section belongs",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history: history.sqlite
""",
        [
            "ipsecmon.yml:5:1: history: found 'history.sqlite', accepted: a mapping with the keys path, retention",
        ],
    ),
    (
        "history, an empty path",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  path: ""
""",
        [
            "ipsecmon.yml:6:3: history.path: found '', accepted: the path of a file, or off",
        ],
    ),
    (
        "history, kept too short",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {age: 90s}
""",
        [
            "ipsecmon.yml:6:15: history.retention.age: found '90s', accepted: a duration of 1h to 3650d, such as 12h or 90d",
        ],
    ),
    (
        "history, kept too long",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {age: 3651d}
""",
        [
            "ipsecmon.yml:6:15: history.retention.age: found '3651d', accepted: a duration of 1h to 3650d, such as 12h or 90d",
        ],
    ),
    (
        "history, a size without a unit",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {size: 500000000}
""",
        [
            "ipsecmon.yml:6:15: history.retention.size: found '500000000', accepted: a size of 10MB to 1TB, such as 500MB or 2GB",
        ],
    ),
    (
        "history, a size too small",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {size: 9.9MB}
""",
        [
            "ipsecmon.yml:6:15: history.retention.size: found '9.9MB', accepted: a size of 10MB to 1TB, such as 500MB or 2GB",
        ],
    ),
    (
        "history, a size in bits",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {size: 500Mbit}
""",
        [
            "ipsecmon.yml:6:15: history.retention.size: found '500Mbit', accepted: a size of 10MB to 1TB, such as 500MB or 2GB",
        ],
    ),
    (
        "history, an unknown limit",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
history:
  retention: {ages: 90d}
""",
        [
            "ipsecmon.yml:6:15: history.retention.ages: found an unknown key (did you mean 'age'?), accepted: age, size",
        ],
    ),
    (
        "tunnels is a text",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels: HQ
""",
        [
            "ipsecmon.yml:6:1: tunnels: found 'HQ', accepted: a list of mappings with the keys device, name, local, remote, crypto_map, interface, vrf, peer, intent, owner, site, description, options",
        ],
    ),
    (
        "a tunnel is a text",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels: [HQ]
""",
        [
            "ipsecmon.yml:6:11: tunnels[0]: found 'HQ', accepted: a mapping with the keys device, name, local, remote, crypto_map, interface, vrf, peer, intent, owner, site, description, options",
        ],
    ),
    (
        "missing keys of a tunnel",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - interface: Tunnel0
""",
        [
            "ipsecmon.yml:7:5: tunnels[0].device: found no such key, accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
            "ipsecmon.yml:7:5: tunnels[0].name: found no such key, accepted: a name of letters, digits, '.', '_' and '-', at most 128 long",
        ],
    ),
    (
        "unknown key of a tunnel",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0, intend: backup}
""",
        [
            "ipsecmon.yml:7:51: tunnels[0].intend: found an unknown key (did you mean 'intent'?), accepted: device, name, local, remote, crypto_map, interface, vrf, peer, intent, owner, site, description, options",
        ],
    ),
    (
        "a tunnel of an unknown device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Sit1, name: HQ, interface: Tunnel0}
""",
        [
            "ipsecmon.yml:7:6: tunnels[0].device: found 'Sit1' (did you mean 'Site1'?), accepted: a name under 'devices': Site1, Site2",
        ],
    ),
    (
        "nothing identifies a tunnel",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, crypto_map: CRYPTO}
""",
        [
            "ipsecmon.yml:7:5: tunnels[0]: found nothing that identifies the tunnel, accepted: 'local' and 'remote', 'interface' or 'peer'",
        ],
    ),
    (
        "local without remote",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: 10.1.1.0/24, interface: Tunnel0}
""",
        [
            "ipsecmon.yml:7:5: tunnels[0].remote: found no such key beside 'local', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "remote without local",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, remote: 10.1.1.0/24}
""",
        [
            "ipsecmon.yml:7:5: tunnels[0].local: found no such key beside 'remote', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with host bits",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.5/24', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.5/24', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with too long",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.0/33', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.0/33', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with a mask",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.0/255.255.255.0', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.0/255.255.255.0', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with protocol without port",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.0/24/6', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.0/24/6', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with no such protocol",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.0/24/256/0', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.0/24/256/0', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with no such port",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: '10.1.1.0/24/6/65536', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found '10.1.1.0/24/6/65536', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with a zone",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: 'fe80::1%1', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found 'fe80::1%1', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "an identity with a word",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: 'any', remote: 10.2.2.0/24}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].local: found 'any', accepted: a network such as 10.1.1.0/24, an address, or one with protocol and port such as 10.1.1.0/24/6/443",
        ],
    ),
    (
        "peer is a name",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, peer: rtr2.example.net}
""",
        [
            "ipsecmon.yml:7:31: tunnels[0].peer: found 'rtr2.example.net', accepted: an IPv4 or an IPv6 address",
        ],
    ),
    (
        "intent word",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0, intent: always}
""",
        [
            "ipsecmon.yml:7:51: tunnels[0].intent: found 'always', accepted: always_on, on_demand, backup",
        ],
    ),
    (
        "options with an unknown word",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0, options: [oneway]}
""",
        [
            "ipsecmon.yml:7:61: tunnels[0].options[0]: found 'oneway', accepted: unidirectional, backup, maintenance, excluded",
        ],
    ),
    (
        "options with no list",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0, options: maintenance}
""",
        [
            "ipsecmon.yml:7:51: tunnels[0].options: found 'maintenance', accepted: a list, each item unidirectional, backup, maintenance, excluded",
        ],
    ),
    (
        "two tunnels with one name",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0}
  - {device: Site1, name: HQ, interface: Tunnel1}
""",
        [
            "ipsecmon.yml:8:21: tunnels[1].name: found 'HQ' of 'Site1' again, first on line 7, accepted: a name of its own for each tunnel",
        ],
    ),
    (
        "two tunnels with one key",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, local: 10.1.1.1, remote: 10.2.2.0/24}
  - {device: Site1, name: HQ2, local: 10.1.1.1/32, remote: 10.2.2.0/24/0/0}
""",
        [
            "ipsecmon.yml:8:5: tunnels[1]: found the tunnel of 'Site1' that line 7 has already, accepted: each tunnel once, or 'crypto_map', 'interface', 'vrf' or 'peer' to tell them apart",
        ],
    ),
    (
        "two tunnels with one peer in two spellings",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, peer: '2001:DB8::1'}
  - {device: Site1, name: HQ2, peer: '2001:db8:0::1'}
""",
        [
            "ipsecmon.yml:8:5: tunnels[1]: found the tunnel of 'Site1' that line 7 has already, accepted: each tunnel once, or 'crypto_map', 'interface', 'vrf' or 'peer' to tell them apart",
        ],
    ),
    (
        "links is a text",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links: Site1/A
""",
        [
            "ipsecmon.yml:6:1: links: found 'Site1/A', accepted: a list, each item two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link of one tunnel",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found a list, accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link of three tunnels",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A, Site2/B, Site2/C]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found a list, accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link of no tunnel behind the device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1, Site2/B]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found a list, accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link of an empty name",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/, Site2/B]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found a list, accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link of a text in place of a list",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - Site1/A
""",
        [
            "ipsecmon.yml:7:5: links[0]: found 'Site1/A', accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "a link to an unknown device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A, Site9/B]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found 'Site9/B' of an unknown device (did you mean 'Site2'?), accepted: a name under 'devices': Site1, Site2",
        ],
    ),
    (
        "a link of a tunnel with itself",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A, Site1/A]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found 'Site1/A' with itself, accepted: tunnels of two devices",
        ],
    ),
    (
        "a link of two tunnels of one device",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A, Site1/B]
""",
        [
            "ipsecmon.yml:7:5: links[0]: found two tunnels of 'Site1', accepted: tunnels of two devices",
        ],
    ),
    (
        "one tunnel in two links",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
links:
  - [Site1/A, Site2/A]
  - [Site2/B, Site1/A]
""",
        [
            "ipsecmon.yml:8:5: links[1]: found 'Site1/A' again, first on line 7, accepted: each tunnel in one link",
        ],
    ),
    (
        "every contradiction at once",
        """\
credentials:
  lab: {username: monitor, password: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
  - {name: Site2, host: 123.1.1.2, platform: ios, credentials: lab}
tunnels:
  - {device: Site1, name: HQ, interface: Tunnel0}
  - {device: Site1, name: HQ, interface: Tunnel0}
  - {device: Site7, name: X}
links:
  - [Site1/A, Site1/A]
  - [Site1/A, Site2]
""",
        [
            "ipsecmon.yml:8:5: tunnels[1]: found the tunnel of 'Site1' that line 7 has already, accepted: each tunnel once, or 'crypto_map', 'interface', 'vrf' or 'peer' to tell them apart",
            "ipsecmon.yml:8:21: tunnels[1].name: found 'HQ' of 'Site1' again, first on line 7, accepted: a name of its own for each tunnel",
            "ipsecmon.yml:9:5: tunnels[2]: found nothing that identifies the tunnel, accepted: 'local' and 'remote', 'interface' or 'peer'",
            "ipsecmon.yml:9:6: tunnels[2].device: found 'Site7' (did you mean 'Site2'?), accepted: a name under 'devices': Site1, Site2",
            "ipsecmon.yml:11:5: links[0]: found 'Site1/A' with itself, accepted: tunnels of two devices",
            "ipsecmon.yml:12:5: links[1]: found a list, accepted: two tunnels in brackets, each as device/tunnel",
        ],
    ),
    (
        "nothing to log in with",
        """\
credentials:
  lab: {username: monitor, agent: no}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:3: credentials.lab: found nothing to log in with, accepted: 'password', 'key', 'agent: true' or several of them",
        ],
    ),
    (
        "agent is no word",
        """\
credentials:
  lab: {username: monitor, agent: perhaps}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.agent: found a text (not shown), accepted: true, false",
        ],
    ),
    (
        "a passphrase without a key",
        """\
credentials:
  lab: {username: monitor, agent: true, passphrase: {env: LAB}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:41: credentials.lab.passphrase: found no 'key' beside it, accepted: 'key', the path of a file",
        ],
    ),
    (
        "a command that is a text",
        """\
credentials:
  lab: {username: monitor, password: {command: pass show lab}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {command: [PROGRAM, ARGUMENT, ...]}, a list of texts on one line each",
        ],
    ),
    (
        "a command of nothing",
        """\
credentials:
  lab: {username: monitor, password: {command: []}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {command: [PROGRAM, ARGUMENT, ...]}, a list of texts on one line each",
        ],
    ),
    (
        "a keyring without a username",
        """\
credentials:
  lab: {username: monitor, password: {keyring: {service: lab}}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {keyring: {service: TEXT, username: TEXT}}",
        ],
    ),
    (
        "a systemd credential with a path",
        """\
credentials:
  lab: {username: monitor, password: {systemd: ../lab}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {env: NAME}, {file: PATH}, {systemd: NAME}, {command: [...]}, {keyring: {...}}, {vault: {...}} or the text itself, on one line",
        ],
    ),
    (
        "a secret in Vault without Vault",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a secret in Vault, and no section 'vault', accepted: a section 'vault' with 'address' and a way to log in",
        ],
    ),
    (
        "a version that Vault has not",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password, version: 3}}}
vault: {address: 'https://192.0.2.9:8200', token: {env: T}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:2:28: credentials.lab.password: found a mapping, accepted: {vault: {path: TEXT, key: TEXT}}, and optionally 'mount' and 'version' (1 or 2)",
        ],
    ),
    (
        "an address of Vault with a password",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
vault: {address: 'https://me:hunter2@192.0.2.9', token: {env: T}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:9: vault.address: found a text (not shown), accepted: an address such as https://vault.example.net:8200",
        ],
    ),
    (
        "no way to log in to Vault",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
vault: {address: 'https://192.0.2.9:8200'}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:1: vault: found no way to log in, accepted: one of 'token', 'role_id' with 'secret_id', 'kubernetes_role'",
        ],
    ),
    (
        "two ways to log in to Vault",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
vault: {address: 'https://192.0.2.9:8200', token: {env: T}, kubernetes_role: lab}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:1: vault: found token, kubernetes_role together, accepted: one of 'token', 'role_id' with 'secret_id', 'kubernetes_role'",
        ],
    ),
    (
        "half an AppRole",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
vault: {address: 'https://192.0.2.9:8200', role_id: lab}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:44: vault.role_id: found no 'secret_id' beside it, accepted: 'secret_id'",
        ],
    ),
    (
        "a token of Vault in Vault",
        """\
credentials:
  lab: {username: monitor, password: {vault: {path: lab, key: password}}}
vault: {address: 'https://192.0.2.9:8200', token: {vault: {path: a, key: b}}}
devices:
  - {name: Site1, host: 92.1.1.1, platform: ios, credentials: lab}
""",
        [
            "ipsecmon.yml:3:44: vault.token: found a secret in Vault, accepted: a source outside of Vault",
        ],
    ),
]


@pytest.mark.parametrize(
    ("text", "messages"),
    [pytest.param(text, messages, id=name) for name, text, messages in CASES],
)
def test_a_mistake_is_named_with_its_place(
    text: str, messages: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ipsecmon.yml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_config(Path("ipsecmon.yml"))

    assert messages == [str(mistake) for mistake in caught.value.mistakes]
