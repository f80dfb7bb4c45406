resource "aws_iam_group" "admins" {
  name = "shop-admins"
}

resource "aws_iam_user" "ann" {
  name = "shop-ann"
}

resource "aws_iam_group_membership" "admins" {
  name  = "shop"
  group = aws_iam_group.admins.name
  users = [aws_iam_user.ann.name]
}
