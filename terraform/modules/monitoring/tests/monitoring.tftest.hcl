mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name  = "test"
  vpc_id        = "vpc-test"
  subnet_id     = "subnet-a"
  instance_type = "t3.small"
  admin_cidrs   = ["203.0.113.0/24", "198.51.100.7/32"]
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
    session_manager   = false
    user_data         = null
  }
}

run "web_pages" {
  command = plan

  assert {
    condition = toset([for r in aws_vpc_security_group_ingress_rule.administration : "${r.cidr_ipv4} ${r.from_port}-${r.to_port}"]) == toset([
      "203.0.113.0/24 3000-3000", "203.0.113.0/24 9090-9090", "198.51.100.7/32 3000-3000", "198.51.100.7/32 9090-9090",
    ])
    error_message = "Prometheus and Grafana are not open to the administrators, or to others too"
  }
}

run "nobody_by_default" {
  command = plan

  variables {
    admin_cidrs = []
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.administration) == 0
    error_message = "somebody may in without being named"
  }
}

run "rights" {
  command = plan

  assert {
    condition     = length(data.aws_iam_policy_document.discovery.statement) == 1 && toset(data.aws_iam_policy_document.discovery.statement[0].actions) == toset(["ec2:DescribeInstances", "ec2:DescribeAvailabilityZones"])
    error_message = "the role may do more, or less, than discover hosts"
  }
}
