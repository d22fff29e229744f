data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# The least that Session Manager's agent needs. AWS's own policy AmazonSSMManagedInstanceCore would also let every host read
# every parameter of the account. None of these actions can be narrowed to resources.
data "aws_iam_policy_document" "session_manager" {
  statement {
    actions = [
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role" "main" {
  name_prefix        = "${local.name}-"
  description        = "Hosts of the role ${var.role} of ${var.cluster_name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json

  tags = local.tags
}

resource "aws_iam_role_policy" "main" {
  for_each = merge(
    var.policies,
    var.session_manager ? { session-manager = data.aws_iam_policy_document.session_manager.json } : {},
  )

  name   = each.key
  role   = aws_iam_role.main.id
  policy = each.value
}

resource "aws_iam_instance_profile" "main" {
  name_prefix = "${local.name}-"
  role        = aws_iam_role.main.name

  tags = local.tags
}
