"""Tables: folders of Parquet files, and Iceberg."""
