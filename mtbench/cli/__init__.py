"""The command line: one file a group of commands, put together in `mtbench.cli.app`."""
