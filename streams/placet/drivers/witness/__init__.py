"""The witness of other people's logs, and the asking of witnesses for one's own."""
