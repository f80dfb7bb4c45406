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
