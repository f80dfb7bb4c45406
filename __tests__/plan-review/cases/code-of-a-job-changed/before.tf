locals {
  code = "jobs/0a1b/etl.zip"
}

resource "aws_s3_bucket" "artifacts" {
  bucket = "shop-artifacts"
}

resource "aws_s3_object" "code" {
  bucket  = aws_s3_bucket.artifacts.id
  key     = local.code
  content = "0a1b"
}

resource "aws_iam_role" "job" {
  name               = "shop-job"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }] })
}

resource "aws_iam_role_policy" "job" {
  role = aws_iam_role.job.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.artifacts.arn}/${local.code}" }
  ] })
}
