"""The datasets that come with mtbench, reached through the entry points a stranger's plug-in would use."""
