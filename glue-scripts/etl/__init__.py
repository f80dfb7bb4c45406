"""What the jobs share: arguments, contracts, transforms, books, input and output."""
