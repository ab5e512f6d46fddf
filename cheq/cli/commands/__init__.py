"""One module a command: its options and help, and nothing that another part could use."""
