resource "aws_security_group" "jobs" {
  name        = "shop-jobs"
  description = "jobs"
  ingress {
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
