resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}

resource "aws_sns_topic" "alerts" {
  name = "shop-alerts"
}
