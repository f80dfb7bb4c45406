resource "aws_s3tables_table_bucket" "marts" {
  name = "shop-marts"

  encryption_configuration = {
    sse_algorithm = "AES256"
    kms_key_arn   = null
  }
}
