# What the variables refuse: every rule once, as many as possible in a run, because each run is a whole plan. A rule that looks at
# other variables is not even asked when one of those is wrong: those runs are apart.

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
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name   = "test"
  region         = "eu-central-1"
  ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhbUVYzq9vP3yOtdjBVoZ8xQ5sRJ9mZ3d0Ffh0Ulx1a somebody@somewhere"
}

run "nonsense" {
  command = plan

  variables {
    cluster_name   = "Test"
    region         = "frankfurt"
    architecture   = "x86_64"
    ssh_public_key = "~/.ssh/id_ed25519.pub"
    tags           = { Role = "node" }
    vpc_cidr       = "10.0.0.0/8"
    egress         = "proxy"
    admin_cidrs    = ["0.0.0.0/0"]
    expires_at     = "tomorrow"
    node           = { count = 0 }
    edge           = { count = 0 }
    redis          = { instance_type = "large" }
    monitoring     = { instance_type = "large" }
    loadgen        = { count = -1 }
  }

  expect_failures = [
    var.cluster_name,
    var.region,
    var.architecture,
    var.ssh_public_key,
    var.tags,
    var.vpc_cidr,
    var.egress,
    var.admin_cidrs,
    var.expires_at,
    var.node,
    var.edge,
    var.redis,
    var.monitoring,
    var.loadgen,
  ]
}

run "too_long_too_many_too_small" {
  command = plan

  variables {
    cluster_name   = "a-name-of-21-letters1"
    ssh_public_key = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAI"
    vpc_cidr       = "10.80.0.0"
    admin_cidrs    = [for i in range(9) : "203.0.113.${i}/32"]
    node           = { volume_size_gb = 7 }
    edge           = { volume_size_gb = 7 }
    redis          = { volume_size_gb = 7 }
    monitoring     = { volume_size_gb = 7 }
    loadgen        = { volume_size_gb = 7 }
  }

  expect_failures = [
    var.cluster_name,
    var.ssh_public_key,
    var.vpc_cidr,
    var.admin_cidrs,
    var.node,
    var.edge,
    var.redis,
    var.monitoring,
    var.loadgen,
  ]
}

run "of_no_instance_type" {
  command = plan

  variables {
    node    = { instance_type = "large" }
    edge    = { instance_type = "large" }
    loadgen = { instance_type = "large" }
  }

  expect_failures = [
    var.node,
    var.edge,
    var.loadgen,
  ]
}

run "half_a_host" {
  command = plan

  variables {
    node    = { count = 1.5 }
    edge    = { count = 1.5 }
    loadgen = { count = 1.5 }
  }

  expect_failures = [
    var.node,
    var.edge,
    var.loadgen,
  ]
}

run "min_above_count" {
  command = plan

  variables {
    node = { count = 2, min = 3 }
    edge = { count = 2, min = 3 }
  }

  expect_failures = [
    var.node,
    var.edge,
  ]
}

run "max_below_count" {
  command = plan

  variables {
    node = { count = 3, max = 2 }
    edge = { count = 3, max = 2 }
  }

  expect_failures = [
    var.node,
    var.edge,
  ]
}

run "room_for_no_connection" {
  command = plan

  variables {
    node    = { capacity = 0 }
    edge    = { capacity = 0.5 }
    loadgen = { addresses = 0 }
  }

  expect_failures = [
    var.node,
    var.edge,
    var.loadgen,
  ]
}

run "unknown_placement" {
  command = plan

  variables {
    node = { placement = "together" }
    edge = { placement = "together" }
  }

  expect_failures = [
    var.node,
    var.edge,
  ]
}

run "spread_over_too_few_racks" {
  command = plan

  variables {
    node = { count = 3, max = 15, placement = "spread" }
    edge = { count = 15, placement = "spread" }
  }

  expect_failures = [
    var.node,
    var.edge,
  ]
}

run "together_in_two_zones" {
  command = plan

  variables {
    node = { placement = "cluster" }
    edge = { placement = "cluster" }
  }

  expect_failures = [
    var.node,
    var.edge,
  ]
}

run "too_few_nodes_for_the_connections" {
  command = plan

  variables {
    connections = 100001
  }

  expect_failures = [var.connections]
}

run "too_few_edges_for_the_connections" {
  command = plan

  variables {
    connections = 350001
    node        = { count = 5 }
  }

  expect_failures = [var.connections]
}

run "too_few_addresses_for_the_connections" {
  command = plan

  variables {
    connections = 100000
    loadgen     = { count = 1, addresses = 3 }
  }

  expect_failures = [var.connections]
}

run "session_manager_out_of_reach" {
  command = plan

  variables {
    egress = "none"
  }

  expect_failures = [var.session_manager]
}

run "no_connection" {
  command = plan

  variables {
    connections = 0
  }

  expect_failures = [var.connections]
}

run "no_zone" {
  command = plan

  variables {
    availability_zone_count = 0
  }

  expect_failures = [var.availability_zone_count]
}

run "more_zones_than_any_region_has" {
  command = plan

  variables {
    availability_zone_count = 7
  }

  expect_failures = [var.availability_zone_count]
}
