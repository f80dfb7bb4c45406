"""Starts the embedded AWS; README.md lists its options."""

import sys

from embedded_aws.server.process import main

if __name__ == "__main__":
    sys.exit(main())
