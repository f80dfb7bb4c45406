resource "aws_s3_bucket" "landing" {
  bucket = "shop-raw"
}

moved {
  from = aws_s3_bucket.raw
  to   = aws_s3_bucket.landing
}
