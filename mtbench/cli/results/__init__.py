"""Commands that read results: report, explain and export."""
