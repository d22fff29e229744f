mock_provider "aws" {
  mock_data "aws_default_tags" {
    defaults = { tags = { Project = "wsfleet", Cluster = "test" } }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name  = "test"
  vpc_id        = "vpc-test"
  subnet_ids    = ["subnet-a", "subnet-b"]
  instance_type = "t3.small"
  size          = { min = 2, max = 6, desired = 3 }
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
    session_manager   = false
    user_data         = null
  }
}

run "name" {
  command = plan

  assert {
    condition     = output.autoscaling_group_name == "test-node"
    error_message = "the group is not named by cluster and role"
  }
}

run "untracked" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.wsnode.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_ingress_rule.wsnode.from_port == 8765 && aws_vpc_security_group_ingress_rule.wsnode.to_port == 9764
    error_message = "wsnode's ports are not open to all: their connections would be tracked"
  }
}
