"""The provenance log on its store: one writer, tiles first, then the state, then the checkpoint."""
