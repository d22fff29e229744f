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

  client_security_group_ids = { node = "sg-node" }
  host = {
    ami_id            = "ami-12345678"
    root_device_name  = "/dev/xvda"
    key_name          = "test"
    security_group_id = "sg-host"
    session_manager   = false
    user_data         = null
  }
}

run "clients" {
  command = plan

  assert {
    condition     = { for k, r in aws_vpc_security_group_ingress_rule.redis : k => r.referenced_security_group_id } == { node = "sg-node" }
    error_message = "others than the nodes may use Redis, or the nodes may not"
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.redis : r.from_port == 6379 && r.to_port == 6379])
    error_message = "other ports than Redis' are open"
  }
}
