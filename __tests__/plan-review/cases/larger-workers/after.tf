resource "aws_iam_role" "job" {
  name               = "shop-job"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }] })
}

resource "aws_glue_job" "clean" {
  name              = "shop-clean"
  role_arn          = aws_iam_role.job.arn
  glue_version      = "5.0"
  worker_type       = "G.2X"
  number_of_workers = 2
  timeout           = 120
  command {
    script_location = "s3://shop-artifacts/clean.py"
  }
}

resource "aws_glue_trigger" "quarter" {
  name     = "shop-quarter"
  type     = "SCHEDULED"
  schedule = "cron(0/15 * * * ? *)"
  actions {
    job_name = aws_glue_job.clean.name
  }
}
