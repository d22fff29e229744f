variables {
  region = "eu-central-1"
  hosts = {
    node  = { instance_type = "c6g.xlarge", count = 11, volume_size_gb = 10, public_address = false }
    edge  = { instance_type = "c6g.2xlarge", count = 4, volume_size_gb = 10, public_address = true }
    spare = { instance_type = "x9.huge", count = 0, volume_size_gb = 10, public_address = true }
  }
}

# 11 × 0.1552 + 4 × 0.3104 + 150 GB × 0.0952 / 730 + 4 × 0.005 = 1.7072 + 1.2416 + 0.0196 + 0.0200
run "hosts_disks_and_addresses" {
  command = plan

  assert {
    condition     = output.usd_per_hour == 2.988
    error_message = "hosts, disks and addresses are not 2.988 USD an hour but ${jsonencode(output.usd_per_hour)}"
  }

  assert {
    condition     = [for p in output.breakdown : "${p.count} ${p.what}"] == ["4 edge: c6g.2xlarge", "11 node: c6g.xlarge", "150 gp3 disks, GB", "4 public IPv4 addresses"]
    error_message = "the parts are not the hosts there are, their disks and their addresses"
  }
}

# A balancer in two zones with 250,000 connections: 0.027 + 3 × 0.006, two addresses; two NAT gateways with theirs; four endpoints.
run "network" {
  command = plan

  variables {
    hosts               = {}
    load_balancer_zones = 2
    connections         = 250000
    nat_gateways        = 2
    interface_endpoints = 4
  }

  assert {
    condition     = output.usd_per_hour == 0.217
    error_message = "balancer, gateways and endpoints are not 0.045 + 0.104 + 0.048 + 0.020 but ${jsonencode(output.usd_per_hour)}"
  }
}

run "an_unknown_type_has_no_price" {
  command = plan

  variables {
    hosts = {
      node = { instance_type = "x9.huge", count = 1, volume_size_gb = 10, public_address = false }
    }
  }

  assert {
    condition     = output.usd_per_hour == null && output.unknown == tolist(["node: x9.huge"])
    error_message = "a sum where a price is missing, or nobody says which"
  }
}

run "an_unknown_region_has_no_price" {
  command = plan

  variables {
    region = "us-east-1"
  }

  assert {
    condition     = output.usd_per_hour == null && length(output.unknown) == 1 && alltrue([for p in output.breakdown : p.usd_per_hour == null])
    error_message = "Frankfurt's prices for another region"
  }
}

run "nonsense" {
  command = plan

  variables {
    hosts = {
      node = { instance_type = "t3.small", count = -1, volume_size_gb = 10, public_address = false }
    }
    load_balancer_zones = 7
    connections         = -1
    nat_gateways        = 7
    interface_endpoints = 0.5
  }

  expect_failures = [var.hosts, var.load_balancer_zones, var.connections, var.nat_gateways, var.interface_endpoints]
}
