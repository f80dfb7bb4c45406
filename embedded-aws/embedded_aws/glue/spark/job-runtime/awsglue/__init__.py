"""A stand-in for the names of AWS's ``awsglue`` that a Spark script needs: arguments, context, job.

Dynamic frames, transforms and bookmarks are in AWS's JVM part, which no registry has. A script that uses them
fails here on import, and runs in AWS's own image if Docker has it.
"""
