resource "aws_athena_workgroup" "team" {
  name = "shop-team"
  configuration {
    enforce_workgroup_configuration = true
    bytes_scanned_cutoff_per_query  = 1073741824
    result_configuration {
      output_location = "s3://shop-queries/"
    }
  }
}
