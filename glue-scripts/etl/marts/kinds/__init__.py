"""The kinds of marts as functions of frames. Equal rows give equal rows, in whatever order they lie."""
