"""The command line: one file a command, put together in `handlers.__main__`."""
