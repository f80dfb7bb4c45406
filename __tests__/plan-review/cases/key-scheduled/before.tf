resource "aws_kms_key" "lake" {
  description             = "Encrypts the lake"
  deletion_window_in_days = 7
}
