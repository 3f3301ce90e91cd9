"""What is observed, one file a kind of signal: each turns a spec of resil.yaml into independent reads."""
