"""Faults on purpose, against real brokers, and what they cost. `scripts/chaos` runs it; docs/reliability.md has the numbers."""
