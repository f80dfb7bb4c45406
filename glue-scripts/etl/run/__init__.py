"""The parts of every job run, whatever its task: arguments, lock, quality gate, catalogue, books."""
