removed {
  from = aws_dynamodb_table.made_by_hand
  lifecycle {
    destroy = false
  }
}

resource "aws_dynamodb_table" "orders" {
  name         = "shop-orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  tags = { owner = "shop" }
}
