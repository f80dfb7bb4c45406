"""Tables of a database become deliveries in the raw zone."""
