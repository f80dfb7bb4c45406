resource "aws_iam_role" "job" {
  name = "shop-job"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_s3_bucket" "raw" {
  bucket = "shop-raw"
}

resource "aws_s3_bucket_public_access_block" "raw" {
  bucket                  = aws_s3_bucket.raw.bucket
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_kms_key" "lake" {
  description             = "Encrypts the lake"
  deletion_window_in_days = 7
}

resource "aws_s3_bucket_server_side_encryption_configuration" "raw" {
  bucket = aws_s3_bucket.raw.bucket
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.lake.arn
    }
  }
}

resource "aws_glue_job" "clean" {
  name              = "shop-clean"
  role_arn          = aws_iam_role.job.arn
  glue_version      = "5.1"
  worker_type       = "G.1X"
  number_of_workers = 2
  timeout           = 30
  command {
    script_location = "s3://shop-artifacts/clean.py"
  }
}

resource "aws_sfn_state_machine" "shop" {
  name     = "shop"
  role_arn = aws_iam_role.job.arn
  definition = jsonencode({
    StartAt = "RunJob"
    States = {
      RunJob = {
        Type       = "Task"
        Resource   = "arn:aws:states:::glue:startJobRun.sync"
        Parameters = { JobName = aws_glue_job.clean.name }
        End        = true
      }
    }
  })
}

resource "aws_scheduler_schedule" "daily" {
  name                         = "shop-daily"
  state                        = "ENABLED"
  schedule_expression          = "cron(0 4 * * ? *)"
  schedule_expression_timezone = "Europe/Berlin"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_sfn_state_machine.shop.arn
    role_arn = "arn:aws:iam::000000000000:role/shop-schedule"
  }
}

resource "aws_cloudwatch_metric_alarm" "failed" {
  alarm_name          = "shop-failed"
  namespace           = "AWS/States"
  metric_name         = "ExecutionsFailed"
  dimensions          = { StateMachineArn = "arn:aws:states:us-east-1:000000000000:stateMachine:shop" }
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  alarm_actions       = ["arn:aws:sns:us-east-1:000000000000:shop-alerts"]
}

resource "aws_cloudwatch_log_group" "job" {
  name              = "/shop/job"
  retention_in_days = 90
}

resource "aws_iam_role_policy" "job" {
  name = "derived"
  role = aws_iam_role.job.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${aws_s3_bucket.raw.arn}/*"]
      },
    ]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.job.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:PutLogEvents"]
        Resource = ["arn:aws:logs:us-east-1:000000000000:log-group:/shop/job:*"]
      },
    ]
  })
}
