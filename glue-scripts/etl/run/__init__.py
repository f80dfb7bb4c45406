"""What every job run does, whatever its task: arguments, lock, quality gate, catalogue, books."""
