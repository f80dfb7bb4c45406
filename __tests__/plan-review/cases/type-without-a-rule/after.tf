resource "aws_athena_named_query" "all" {
  name     = "shop-all"
  database = "shop"
  query    = "SELECT 1"
}
