"""`equipoise keeper`: a keeper that runs by itself."""

from __future__ import annotations

from pathlib import Path

import click

from equipoise.commands import NamedErrors

__all__ = ["keeper"]


@click.command(cls=NamedErrors)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@click.option("--dry-run", is_flag=True, help="Say what it would send, and send nothing.")
def keeper(config: Path, once: bool, dry_run: bool) -> None:
    """Keep a vault, by a YAML file such as scripts/configs/keeper.yaml.

    It relays the signers' reports, posts coordinates, pokes realised volatility, opens and fills auctions
    when that pays, pulls the ripcord, and serves /health and /metrics. `silverback run equipoise.keeper.bot`
    does the same for every block.
    """
    from equipoise.keeper.logs import set_up
    from equipoise.keeper.settings import KeeperSettings, run_keeper

    settings = KeeperSettings.from_yaml(config)
    set_up(settings.json_logs)
    landed = run_keeper(settings, once, dry_run)
    if once:
        click.echo(f"landed: {', '.join(landed) or 'nothing'}")
