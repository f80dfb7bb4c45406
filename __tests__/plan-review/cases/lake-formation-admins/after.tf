resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}

resource "aws_lakeformation_data_lake_settings" "lake" {
  admins = ["arn:aws:iam::123456789012:role/somebody"]

  create_table_default_permissions {
    principal   = "IAM_ALLOWED_PRINCIPALS"
    permissions = ["ALL"]
  }
}
