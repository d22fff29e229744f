# How the modules are put together.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { id = "eu-central-1", names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_ami" {
    defaults = { id = "ami-12345678", name = "debian-12-amd64-20260601-2000", root_device_name = "/dev/xvda" }
  }
  mock_data "aws_ec2_instance_type" {
    defaults = { supported_architectures = ["x86_64"] }
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
    values = { supported_architectures = ["arm64"] }
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
