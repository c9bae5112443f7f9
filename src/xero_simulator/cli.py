"""The command line: `xero-simulator`, `python -m xero_simulator`, and `provender xero-simulator`."""

from pathlib import Path

import click

from xero_simulator.seeds import TEMPLATES


@click.command("xero-simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="File that keeps everything.")
@click.option(
    "--organisation",
    type=click.Choice(list(TEMPLATES)),
    default="demo-au",
    show_default=True,
    help="What to start with.",
)
@click.option("--client-id", default="simulator", show_default=True, help="Client id of the app.")
@click.option("--client-secret", default="simulator-secret", help="Its secret; empty makes it a PKCE app.")
@click.option("--redirect-uri", multiple=True, help="Allowed redirect address; without one, any http://localhost:PORT.")
@click.option("--webhook-url", help="Where to send webhook events.")
@click.option("--webhook-key", help="Key that signs them.")
@click.option("--no-limits", is_flag=True, help="Switch Xero's rate limits off.")
def command(
    host: str,
    port: int,
    state: Path | None,
    organisation: str,
    client_id: str,
    client_secret: str,
    redirect_uri: tuple[str, ...],
    webhook_url: str | None,
    webhook_key: str | None,
    no_limits: bool,
) -> None:
    """Run a stand-in Xero server: OAuth, the accounting API, and a page to play the bookkeeper."""
    from xero_simulator.server import Server, run_until_interrupted
    from xero_simulator.simulator import Simulator

    simulator = Simulator(
        organisation=organisation,
        limits=not no_limits,
        state=state,
        client_id=client_id,
        client_secret=client_secret or None,
        webhook_url=webhook_url,
        webhook_key=webhook_key,
        redirects=redirect_uri,
    )
    try:
        server = Server(simulator, host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    click.echo(f"Xero simulator on {server.url} (client id {client_id}); the books are at {server.url}/_simulator/")
    run_until_interrupted(server)


def main() -> None:
    command(prog_name="xero-simulator")
