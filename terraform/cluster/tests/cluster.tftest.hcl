# How the modules are put together.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { id = "eu-central-1", names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-12345678", name = "debian-12-amd64-20260601-2000", root_device_name = "/dev/xvda" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { supported_architectures = ["x86_64"], maximum_ipv4_addresses_per_interface = 15 }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name   = "test"
  region         = "eu-central-1"
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhbUVYzq9vP3yOtdjBVoZ8xQ5sRJ9mZ3d0Ffh0Ulx1a somebody@somewhere"
}

run "defaults" {
  command = plan

  assert {
    condition     = output.autoscaling_group_names == { node = "test-node", edge = "test-edge" } && output.cluster_name == "test"
    error_message = "the outputs do not name the cluster's groups"
  }

  assert {
    condition     = local.instance_type == { for role in ["node", "edge", "redis", "monitoring", "loadgen"] : role => "t3.small" }
    error_message = "amd64 hosts are not t3.small unless told otherwise"
  }

  assert {
    condition     = length(output.loadgen_private_ips) == 0
    error_message = "load generators that nobody asked for"
  }
}

run "arm64" {
  command = plan

  variables {
    architecture = "arm64"
    node         = { instance_type = "m7g.large" }
  }

  override_data {
    target = data.aws_ec2_instance_type.of_role
    values = { supported_architectures = ["arm64"], maximum_ipv4_addresses_per_interface = 15 }
  }

  assert {
    condition     = local.instance_type.node == "m7g.large" && local.instance_type.edge == "t4g.small"
    error_message = "arm64 hosts are not t4g.small unless told otherwise"
  }

  assert {
    condition     = one(data.aws_ami.debian.filter).values == toset(["debian-12-arm64-*"])
    error_message = "the image is not an arm64 one"
  }
}

run "no_load_balancer_no_endpoint" {
  command = plan

  variables {
    load_balancer = false
    loadgen       = { count = 2 }
  }

  assert {
    condition     = output.edge_endpoint == null && output.nlb_dns_name == null && length(output.loadgen_private_ips) == 2
    error_message = "an endpoint without a load balancer, or not two load generators"
  }
}

run "instance_type_of_the_other_architecture" {
  command = plan

  variables {
    architecture = "arm64"
    node         = { instance_type = "t3.small" }
  }

  expect_failures = [data.aws_ec2_instance_type.of_role]
}

run "more_addresses_than_an_interface_has" {
  command = plan

  variables {
    loadgen = { count = 1, addresses = 16 }
  }

  expect_failures = [data.aws_ec2_instance_type.of_role]
}

# Hosts 8 × 0.024, 90 GB of disks, 2 balancer addresses and 2 edges and 1 gateway × 0.005, gateway 0.052, balancer 0.027 + 0.006.
run "cost" {
  command = plan

  variables {
    node       = { count = 4 }
    monitoring = { volume_size_gb = 20 }
  }

  assert {
    condition     = output.cost_usd_per_hour.total == 0.314
    error_message = "the defaults cost ${jsonencode(output.cost_usd_per_hour)}"
  }
}

run "cost_of_an_unknown_type" {
  command = plan

  variables {
    node = { instance_type = "x9.huge" }
  }

  assert {
    condition     = output.cost_usd_per_hour.total == null && output.cost_usd_per_hour.unknown == tolist(["node: x9.huge"])
    error_message = "a cost that nobody can know"
  }
}

run "as_many_connections_as_without_a_node_and_an_edge" {
  command = plan

  variables {
    connections = 1000000
    node        = { count = 11 }
    edge        = { count = 4 }
    loadgen     = { count = 5, addresses = 3 }
  }

  assert {
    condition     = length(output.loadgen_private_ips) == 5
    error_message = "not five load generators"
  }
}

run "never_ends_unless_told_to" {
  command = plan

  assert {
    condition     = length(module.expiry) == 0 && output.expires_at == null
    error_message = "a cluster that ends itself, unasked"
  }
}

run "ends_itself" {
  command = plan

  variables {
    expires_at = "2999-01-31T18:00:00Z"
    egress     = "nat_per_zone"
  }

  assert {
    condition = sort([for call in module.expiry[0].calls : call.call]) == sort([
      "autoscaling:deleteAutoScalingGroup", "autoscaling:deleteAutoScalingGroup", "ec2:terminateInstances", "elasticloadbalancingv2:deleteLoadBalancer",
      "ec2:deleteNatGateway", "ec2:deleteNatGateway", "ec2:releaseAddress", "ec2:releaseAddress",
    ])
    error_message = "something that costs by the hour stays"
  }
}

run "time_is_over" {
  command = plan

  variables {
    expires_at = "2020-01-31T18:00:00Z"
  }

  expect_failures = [check.time_is_not_over]
}

run "session_manager" {
  command = plan

  assert {
    condition     = strcontains(local.user_data, "https://s3.eu-central-1.amazonaws.com/amazon-ssm-eu-central-1/latest/debian_amd64/amazon-ssm-agent.deb")
    error_message = "hosts that Session Manager is the way into do not install its agent"
  }
}

run "no_session_manager" {
  command = plan

  variables {
    session_manager = false
    egress          = "none"
  }

  assert {
    condition     = local.user_data == null
    error_message = "hosts are given an agent that nobody wants"
  }
}
