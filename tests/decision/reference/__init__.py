"""A second desk, written from the design alone, that must say what the desk says."""
