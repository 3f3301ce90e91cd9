"""The outside, one file a thing: AWS, files, the terminal, and the memory world that rehearsals run in."""
