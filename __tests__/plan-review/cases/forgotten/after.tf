removed {
  from = aws_s3_bucket.raw
  lifecycle {
    destroy = false
  }
}
