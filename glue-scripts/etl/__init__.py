"""The package that the jobs share. Its README says which folder may import which."""
