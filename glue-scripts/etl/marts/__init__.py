"""Tables of every version become marts: as-of, history, SCD2 and star."""
