"""A stand-in for the few names of AWS's ``awsglue`` that a Spark script needs: arguments, context, job.

Dynamic frames, transforms and bookmarks live in AWS's JVM half, which no registry has; a script that uses
them fails here on import, and runs in AWS's own image where Docker has it.
"""
