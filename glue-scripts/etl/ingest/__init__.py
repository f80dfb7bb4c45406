"""Deliveries become rows, as a contract says."""
