"""The context plane on Kafka: signals in, facts and watermarks out."""

from placet.drivers.context_app.app import ContextApp
from placet.drivers.context_app.serve import run_context

__all__ = ["ContextApp", "run_context"]
