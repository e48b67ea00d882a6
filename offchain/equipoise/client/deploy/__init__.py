"""Deploys a vault on any EVM network, as a configuration describes it: at addresses known beforehand, each
step once, resumable after any interruption, and handed over."""

from equipoise.client.deploy.run import Progress, StepReport, deploy

__all__ = ["Progress", "StepReport", "deploy"]
