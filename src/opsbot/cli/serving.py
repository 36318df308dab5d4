"""Serve the application, or work through the jobs."""

import logging
import os
import signal
import socket
import threading

import uvicorn
from fastapi import FastAPI

from opsbot.app import close_services, create_app, open_follower, open_services, open_worker
from opsbot.db import Database
from opsbot.errors import UnavailableError
from opsbot.migrations import upgrade
from opsbot.retrieval.encoder import Encoder
from opsbot.settings import Settings

STOP_S = 20
"""How long running requests may take to end, in seconds."""


def serve_app(
    settings: Settings,
    *,
    host: str,
    port: int,
    with_worker: bool = True,
    encoder: Encoder | None = None,
) -> None:
    """Serve until the process is told to stop.

    Args:
        settings: of the shop.
        host: the address to listen on.
        port: see `host`.
        with_worker: run the jobs, too.
        encoder: that of the settings, if it is open already.

    Raises:
        UnavailableError: the port is taken, or the data folder cannot be written.
    """
    _quiet_libraries()
    logging.getLogger("opsbot").setLevel(settings.log_level.upper())
    listener = listen(host, port)
    upgrade(Database(settings.resolved_database_url))
    app = create_app(open_services(settings, encoder=encoder), with_worker=with_worker)
    uvicorn.Server(server_config(app, settings)).run(sockets=[listener])


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how the server runs. It believes nobody but our own proxies who is asking."""
    return uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; before anything slow, so that a taken port is said at once.

    Raises:
        UnavailableError: the port is taken, or not ours to take.
    """
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise UnavailableError(
            f"Port {port} on {host} cannot be used ({error.strerror}). "
            f"Choose another one: PORT={port + 1} make demo, or --port {port + 1}."
        ) from error


def work(settings: Settings) -> None:
    """Run jobs until the process is told to stop."""
    _quiet_libraries()
    services = open_services(settings)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    follower = threading.Thread(target=open_follower(services).run_forever, args=(stop,))
    if settings.retrieval.watch_s:
        follower.start()
    open_worker(services).run_forever(stop)
    if follower.ident is not None:
        follower.join()
    close_services(services)


def _quiet_libraries() -> None:
    """Keep libraries from calling home or into our log."""
    os.environ.update(  # noqa: TID251  (set before the libraries are imported)
        {
            "ANONYMIZED_TELEMETRY": "false",
            "HF_HUB_OFFLINE": "1",
            "LANGSMITH_TRACING": "false",
            "LANGCHAIN_TRACING_V2": "false",
            "TRANSFORMERS_OFFLINE": "1",
        }
    )
