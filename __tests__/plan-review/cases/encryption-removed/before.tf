resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "raw" {
  bucket = aws_s3_bucket.raw.bucket
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"
    }
  }
}

resource "aws_sns_topic" "alerts" {
  name              = "shop-alerts"
  kms_master_key_id = "alias/aws/sns"
}
