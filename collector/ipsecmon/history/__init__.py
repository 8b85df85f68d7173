"""What happened, across restarts: events, the memory of each device, and the flight recorder, in one SQLite file.

    history = History(path, Retention())
    previous = history.restore("Site1")             # what polling goes on from
    history.record(result, before=previous_outputs) # True: it is on the disk
    history.events(device="Site1", kinds=[EventKind.DOWN])
    history.raw(event)                              # what the router said just before and just after

``record`` writes one poll in one transaction: its events, the memory they were made with, and at a transition the
raw outputs. After a kill -9 the file holds whole polls only, so no event is lost, and none is made twice from a
memory older than it. Power loss is survived too: a poll with events is flushed to the disk before ``record`` returns
(``synchronous`` FULL). Polls without events are not (NORMAL), and losing the last of those loses samples of counters.

Whatever is wrong with the file is one warning and ``History.health``, never an exception: polling goes on.

    database.py     the tables, how the file is opened, what counts as damage
    memory.py       a ``PollResult`` reduced to what must survive, as bytes
    rows.py         a ``PollResult`` -> the rows of one poll, redacted; which events are transitions
    recorder.py     ``History``: the one writer
    retention.py    what is thrown away, and in which order
    reading.py      ``HistoryReader``: queries, also from other processes while the service writes
"""

from __future__ import annotations

from ipsecmon.history.reading import HistoryReader, HistoryUnreadable, RawPair, RecordedEvent
from ipsecmon.history.recorder import History, HistoryHealth
from ipsecmon.history.retention import Retention

__all__ = [
    "History",
    "HistoryHealth",
    "HistoryReader",
    "HistoryUnreadable",
    "RawPair",
    "RecordedEvent",
    "Retention",
]
