"""Shows which recorded call needs each granted right; README.md lists its options."""

import sys

from embedded_aws.permission_replay.replay import main

if __name__ == "__main__":
    sys.exit(main())
