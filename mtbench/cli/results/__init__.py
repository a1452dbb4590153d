"""Commands that read results: report, status, explain and export."""
