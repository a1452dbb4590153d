"""Drawing tools that know no exhibit."""
