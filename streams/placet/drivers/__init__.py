"""What touches the world: settings, clocks, keys, journals, the one loop, metrics."""
