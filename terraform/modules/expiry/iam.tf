data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    # Nobody else's schedule gets to use this role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

# These calls, on what is tagged as this cluster's, and on nothing else.
data "aws_iam_policy_document" "end" {
  statement {
    actions = [
      "autoscaling:DeleteAutoScalingGroup",
      "ec2:TerminateInstances",
      "ec2:DeleteNatGateway",
      "ec2:ReleaseAddress",
      "ec2:DeleteVpcEndpoints",
      "elasticloadbalancing:DeleteLoadBalancer",
    ]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Project"
      values   = ["wsfleet"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Cluster"
      values   = [var.cluster_name]
    }
  }
}

resource "aws_iam_role" "main" {
  name_prefix        = "${var.cluster_name}-expiry-"
  description        = "Ends ${var.cluster_name} when its time is over"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "main" {
  name   = "end"
  role   = aws_iam_role.main.id
  policy = data.aws_iam_policy_document.end.json
}
