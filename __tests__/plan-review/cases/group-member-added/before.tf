resource "aws_iam_group" "admins" {
  name = "shop-admins"
}

resource "aws_iam_user" "ann" {
  name = "shop-ann"
}
