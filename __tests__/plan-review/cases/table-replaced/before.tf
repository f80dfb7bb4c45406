resource "aws_dynamodb_table" "locks" {
  name         = "shop-locks"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pipeline"
  attribute {
    name = "pipeline"
    type = "S"
  }
}
