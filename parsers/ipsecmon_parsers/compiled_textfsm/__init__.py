"""Runs standard TextFSM templates with exactly the rows of textfsm, many times faster.

>>> template = CompiledTemplate('''Value NAME (\\\\S+)
... Value STATUS (up|down)
...
... Start
...   ^${NAME} is ${STATUS} -> Record
... ''')
>>> template.parse("eth0 is up\\neth1 is down\\n")
[['eth0', 'up'], ['eth1', 'down']]
"""

from __future__ import annotations

from ipsecmon_parsers.compiled_textfsm.engine import CompiledTemplate
from ipsecmon_parsers.compiled_textfsm.ledger import Account

__all__ = ["Account", "CompiledTemplate"]
