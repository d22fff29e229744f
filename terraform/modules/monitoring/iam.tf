data "aws_region" "current" {}

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
