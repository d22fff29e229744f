data "aws_region" "current" {}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# What Prometheus' EC2 discovery calls, in this region, and nothing more. Neither action can be narrowed to resources.
data "aws_iam_policy_document" "discovery" {
  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [data.aws_region.current.name]
    }
  }
}

resource "aws_iam_role" "main" {
  name_prefix        = "${local.name}-"
  description        = "Monitoring host of ${var.cluster_name}"
  assume_role_policy = data.aws_iam_policy_document.assume.json

  tags = local.tags
}

resource "aws_iam_role_policy" "discovery" {
  name   = "discovery"
  role   = aws_iam_role.main.id
  policy = data.aws_iam_policy_document.discovery.json
}

resource "aws_iam_instance_profile" "main" {
  name_prefix = "${local.name}-"
  role        = aws_iam_role.main.name

  tags = local.tags
}
