resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}
