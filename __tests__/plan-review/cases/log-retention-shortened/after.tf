resource "aws_cloudwatch_log_group" "job" {
  name              = "/shop/job"
  retention_in_days = 7
}
