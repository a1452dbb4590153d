"""From records to tables and figures: a pure function."""
