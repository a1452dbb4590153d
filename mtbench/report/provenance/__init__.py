"""The runs behind the numbers of tables, and how each number was made."""
