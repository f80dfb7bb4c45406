resource "aws_s3_bucket" "raw" {
  bucket        = "shop-raw"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.bucket
  versioning_configuration {
    status = "Suspended"
  }
}

resource "aws_dynamodb_table" "locks" {
  name                        = "shop-locks"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = false
  hash_key                    = "pipeline"
  attribute {
    name = "pipeline"
    type = "S"
  }
}
