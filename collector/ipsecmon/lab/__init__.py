"""An emulated network for the demo, the tests and the benchmarks: routers that speak IOS over real SSH.

    topology.py      what the network is made of: routers, crypto maps, traffic
    matching.py      what two routers' configurations agree on
    associations.py  what the routers remember: flows, IPsec SAs, IKE rows
    events.py        lab time, which moves only when told to
    traffic.py       packets, counted between events in closed form
    ike.py           main mode and quick mode
    network.py       the simulation's face: run, read records, clear, break
    printed.py       simulation state -> the records a parser reads from that dialect
    render.py        records -> the text of the show commands
    faults.py        how a router misbehaves towards a collector
    commands.py      the command words of IOS and how they may be abbreviated
    answers.py       version, clock, banner, refusals
    ios.py           the exec shell, bytes in and bytes out
    ssh.py           real SSH servers on loopback ports; the only file that imports asyncssh
    demo.py          a lab and the configuration that makes ipsecmon watch it

Everything but ``ssh.py`` and ``demo.py`` works without asyncssh, without sockets, threads or a wall clock.
"""
