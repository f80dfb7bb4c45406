"""Frames in, frames out: no input or output, no session, no state."""
