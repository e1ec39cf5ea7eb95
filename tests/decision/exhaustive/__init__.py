"""Every order in which a small story can happen, with a failover at every point, held against what was promised."""
