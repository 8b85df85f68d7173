"""What a router of the network prints in answer to a show command, as one text with line feeds.

Used by the exec shell and by whoever reads the network without a terminal.
"""

from __future__ import annotations

from ipsecmon.lab import answers, asa_printed, counts, crypto_maps, crypto_sessions, render
from ipsecmon.lab.network import Network

__all__ = ["show"]


def show(
    network: Network, router: str, command: str, privilege: int = 15, *, cpu_percent: int = 12
) -> str:
    """The answer to a command in full words, as ``commands.look_up`` names it, now; ``cpu_percent`` is its load.

    ``KeyError`` for a command that is none of those.
    """
    config = network.router(router)
    if config.dialect == "asa-9":
        return asa_printed.show(network, config, command, privilege, cpu_percent)
    match command:
        case "show crypto isakmp sa":
            return render.show_crypto_isakmp_sa(network.ike_sas(router), config.dialect)
        case "show crypto ipsec sa":
            return render.show_crypto_ipsec_sa(network.flows(router), config.dialect)
        case "show crypto ipsec security-association lifetime":
            return render.show_sa_lifetime(network.sa_lifetime(router), config.dialect)
        case "show crypto map":
            return crypto_maps.show_crypto_map(network.crypto_map(router), config.dialect)
        case "show crypto session":
            return crypto_sessions.show_crypto_session(network.sessions(router), config.dialect)
        case "show crypto ikev2 sa":
            # these routers speak version 1 alone: no capture shows what is printed of no SA, so it is nothing
            return ""
        case "show crypto isakmp sa count":
            return counts.show_crypto_isakmp_sa_count(network.ike_sas(router))
        case "show crypto ipsec sa count":
            return counts.show_crypto_ipsec_sa_count(network.flows(router))
        case "show crypto ikev2 sa count":
            return counts.show_crypto_ikev2_sa_count()
        case "show processes cpu":
            return answers.show_processes_cpu(cpu_percent)
        case "show clock":
            return answers.show_clock(network.now)
        case "show privilege":
            return f"Current privilege level is {privilege}\n"
        case "show version":
            return answers.show_version(
                config.name,
                config.dialect,
                network.uptime(router),
                was_reloaded=network.reloads(router) > 0,
            )
        case _:
            raise KeyError(command)
