"""An emulated network for the demo, the tests and the benchmarks: routers that speak IOS, and ASAs, over real SSH.

    topology.py      what the network is made of: routers, crypto maps, traffic
    matching.py      what two routers' configurations agree on
    truth.py         the words for what truly happened
    associations.py  what the routers remember: flows, IPsec SAs, IKE rows
    events.py        lab time, which moves only when told to
    traffic.py       packets, counted between events in closed form
    laying.py        the network at rest: flows, their mirrors, where traffic enters
    ike.py           main mode and quick mode
    dead_peers.py    keepalives that go unanswered
    chronicle.py     what happened, written down as it happens
    network.py       the simulation's face: run, read records, clear, reload, break
    printed.py       simulation state -> the records a parser reads from that dialect
    render.py        records -> the text of the show commands
    crypto_maps.py   show crypto map, records and text
    crypto_sessions.py  show crypto session, records and text
    asa_printed.py   what an ASA shows, records and text
    faults.py        how a router misbehaves towards a collector
    commands.py      the command words of IOS and how they may be abbreviated
    answers.py       version, clock, banner, refusals
    shows.py         the answer to a show command as one text
    ios.py           the exec shell, bytes in and bytes out
    asa.py           what differs in the shell of an ASA
    counts.py        show crypto isakmp sa count and the like
    algorithms.py    the SSH algorithms of old releases
    listening.py     a port that refuses, is silent or resets before SSH begins
    serving.py       the SSH server of one router, or of a jump host
    ssh.py           the lab: all of these on loopback ports, in a thread of their own
    serve.py         a lab as a process of its own, for benchmarks
    simulated.py     devices behind no socket, polled in lab time
    aim.py           which tunnels a person means
    network_faults.py  what goes wrong between two routers
    device_faults.py   what goes wrong between a router and a collector
    fault_kinds.py   these by name, with what each does
    tunnel_faults.py   struck on a running lab and lifted
    orders.py        such orders as JSON, and the answers
    control.py       the socket by which a command gives them to a running demo
    demo.py          a lab and the configuration that makes ipsecmon watch it
    webhook.py       what Alertmanager sends, received
    stack_files.py   the shipped configuration of Prometheus and Alertmanager, on loopback
    unpacked.py      Debian's Alertmanager, unpacked and not installed
    stack.py         a real Prometheus and Alertmanager as child processes

Everything but ``algorithms.py``, ``listening.py``, ``serving.py``, ``ssh.py``, ``serve.py``, ``device_faults.py``,
``tunnel_faults.py``, ``orders.py`` and ``demo.py`` works without asyncssh. ``control.py``, ``webhook.py`` and ``stack.py``
need sockets, the others none, no threads and no wall clock.
"""
