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
