resource "aws_athena_workgroup" "team" {
  name = "shop-team"
  configuration {
    enforce_workgroup_configuration = false
    bytes_scanned_cutoff_per_query  = 1099511627776
    result_configuration {
      output_location = "s3://shop-queries/"
    }
  }
}
