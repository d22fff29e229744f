mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  cluster_name            = "test"
  expires_at              = "2026-01-31T23:50:00Z"
  autoscaling_group_names = { node = "test-node", edge = "test-edge" }
  instance_ids            = ["i-1", "i-2"]
}

run "hosts" {
  command = plan

  assert {
    condition     = toset(keys(aws_scheduler_schedule.main)) == toset(["group-edge", "group-node", "instances"])
    error_message = "not a call for each group and one for the instances"
  }

  assert {
    condition     = alltrue([for s in aws_scheduler_schedule.main : s.schedule_expression == "at(2026-01-31T23:50:00)" && s.schedule_expression_timezone == "UTC"])
    error_message = "a call at another time"
  }

  assert {
    condition     = aws_scheduler_schedule.main["group-node"].target[0].arn == "arn:aws:scheduler:::aws-sdk:autoscaling:deleteAutoScalingGroup" && jsondecode(aws_scheduler_schedule.main["group-node"].target[0].input) == { AutoScalingGroupName = "test-node", ForceDelete = true }
    error_message = "the nodes' group is not deleted with its hosts"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.main["instances"].target[0].input).InstanceIds == ["i-1", "i-2"]
    error_message = "not all instances are terminated"
  }
}

run "network" {
  command = plan

  variables {
    load_balancer_arns = { edge = "arn:lb" }
    nat_gateways       = { a = { id = "nat-1", allocation_id = "eipalloc-1" } }
    vpc_endpoint_ids   = ["vpce-1"]
  }

  assert {
    condition     = toset([for c in values(output.calls) : c.call]) == toset(["autoscaling:deleteAutoScalingGroup", "ec2:terminateInstances", "elasticloadbalancingv2:deleteLoadBalancer", "ec2:deleteNatGateway", "ec2:releaseAddress", "ec2:deleteVpcEndpoints"])
    error_message = "something that costs by the hour is not ended"
  }

  assert {
    condition     = aws_scheduler_schedule.main["address-a"].schedule_expression == "at(2026-02-01T00:05:00)"
    error_message = "the gateway's address is given back before the gateway is gone"
  }
}

# What it may end is the cluster's own.
run "rights" {
  command = plan

  assert {
    condition     = toset([for c in data.aws_iam_policy_document.end.statement[0].condition : "${c.variable}=${join(",", c.values)}"]) == toset(["aws:ResourceTag/Project=wsfleet", "aws:ResourceTag/Cluster=test"])
    error_message = "the role may end what is not the cluster's"
  }

  assert {
    condition     = length(data.aws_iam_policy_document.assume.statement[0].condition) == 1
    error_message = "another account's schedule could use the role"
  }
}

run "no_instant" {
  command = plan

  variables {
    expires_at = "tomorrow"
  }

  expect_failures = [var.expires_at]
}
