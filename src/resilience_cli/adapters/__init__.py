"""The shells: everything that speaks to something outside this process."""
