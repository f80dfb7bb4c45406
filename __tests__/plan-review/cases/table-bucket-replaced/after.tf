resource "aws_s3tables_table_bucket" "marts" {
  name = "shop-readers"

  encryption_configuration = {
    sse_algorithm = "AES256"
    kms_key_arn   = null
  }
}
