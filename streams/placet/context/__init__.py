"""What is known: reducers, tables, watermarks, chains of delegation and their join to an intent. Pure."""
