resource "aws_scheduler_schedule" "daily" {
  name                         = "shop-daily"
  state                        = "ENABLED"
  schedule_expression          = "cron(0 4 * * ? *)"
  schedule_expression_timezone = "Europe/Berlin"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = "arn:aws:states:us-east-1:000000000000:stateMachine:shop"
    role_arn = "arn:aws:iam::000000000000:role/shop-schedule"
  }
}
