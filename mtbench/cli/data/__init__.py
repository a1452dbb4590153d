"""Commands on datasets: files fetched and checked, and samples shown."""
