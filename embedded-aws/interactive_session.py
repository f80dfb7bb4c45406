"""Opens a Spark session on a running embedded AWS; README.md lists its options."""

import sys

from embedded_aws.glue.sessions.process import main

if __name__ == "__main__":
    sys.exit(main())
