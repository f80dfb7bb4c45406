resource "aws_iam_role" "job" {
  name               = "shop-job"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "glue.amazonaws.com" } }] })
}

resource "aws_glue_catalog_database" "raw" {
  name = "shop_raw"
}

resource "aws_glue_crawler" "raw" {
  name          = "shop-raw"
  role          = aws_iam_role.job.arn
  database_name = aws_glue_catalog_database.raw.name
  s3_target {
    path = "s3://shop-raw/events/"
  }
  schema_change_policy {
    delete_behavior = "LOG"
    update_behavior = "UPDATE_IN_DATABASE"
  }
}
