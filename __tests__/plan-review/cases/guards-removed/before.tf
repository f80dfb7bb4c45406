resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}

resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.bucket
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_dynamodb_table" "locks" {
  name                        = "shop-locks"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = true
  hash_key                    = "pipeline"
  attribute {
    name = "pipeline"
    type = "S"
  }
}
