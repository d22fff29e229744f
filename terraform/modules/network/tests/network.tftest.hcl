mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { id = "eu-central-1", names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"] }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
}

variables {
  cluster_name = "test"
  vpc_cidr     = "10.80.0.0/16"
  admin_cidrs  = ["203.0.113.0/24", "198.51.100.7/32"]
}

run "subnets" {
  command = plan

  assert {
    condition = { for zone, s in aws_subnet.public : zone => s.cidr_block } == {
      eu-central-1a = "10.80.0.0/20", eu-central-1b = "10.80.16.0/20"
    }
    error_message = "public subnets are not one a zone, counted from the start of the range"
  }

  assert {
    condition = { for zone, s in aws_subnet.private : zone => s.cidr_block } == {
      eu-central-1a = "10.80.128.0/20", eu-central-1b = "10.80.144.0/20"
    }
    error_message = "private subnets are not one a zone, counted from the middle of the range"
  }

  assert {
    condition     = alltrue([for s in aws_subnet.public : s.map_public_ip_on_launch]) && !anytrue([for s in aws_subnet.private : s.map_public_ip_on_launch])
    error_message = "hosts of public subnets, and only they, have public addresses"
  }
}

run "a_zone_more_moves_no_subnet" {
  command = plan

  variables {
    availability_zone_count = 3
  }

  assert {
    condition     = aws_subnet.public["eu-central-1b"].cidr_block == "10.80.16.0/20" && aws_subnet.public["eu-central-1c"].cidr_block == "10.80.32.0/20"
    error_message = "the subnets of the first zones depend on how many zones there are"
  }
}

run "egress_none" {
  command = plan

  assert {
    condition     = length(aws_route.private) == 0 && length(aws_nat_gateway.main) == 0
    error_message = "private subnets have a way out that nobody asked for"
  }
}

run "egress_public_ip" {
  command = plan

  variables {
    egress = "public_ip"
  }

  assert {
    condition     = length(aws_route.private) == 2 && length(aws_nat_gateway.main) == 0 && alltrue([for s in aws_subnet.private : s.map_public_ip_on_launch])
    error_message = "private subnets have no route out, no public addresses, or a gateway to pay for"
  }
}

run "egress_nat" {
  command = plan

  variables {
    egress = "nat"
  }

  assert {
    condition     = keys(aws_nat_gateway.main) == ["eu-central-1a"] && length(aws_route.private) == 2
    error_message = "not one NAT gateway for both zones"
  }
}

run "egress_nat_per_zone" {
  command = plan

  variables {
    egress = "nat_per_zone"
  }

  assert {
    condition     = keys(aws_nat_gateway.main) == ["eu-central-1a", "eu-central-1b"] && length(aws_eip.nat) == 2
    error_message = "not a NAT gateway for each zone"
  }
}

# From outside: the listener in the public subnets, administrators, replies. Nothing else.
run "acl" {
  command = plan

  assert {
    condition     = [for r in aws_network_acl_rule.ingress : r.from_port if r.cidr_block == "0.0.0.0/0" && r.rule_action == "allow" && r.protocol == "tcp" && r.from_port == r.to_port] == [8765]
    error_message = "another port than the listener is open to the world, or the listener is not"
  }

  assert {
    condition = alltrue([
      for r in aws_network_acl_rule.ingress : r.from_port > 22 || r.to_port < 22
      if r.cidr_block == "0.0.0.0/0" && r.rule_action == "allow" && r.protocol == "tcp"
    ])
    error_message = "SSH is open to the world"
  }

  # What a rule before the replies denies, in each tier.
  assert {
    condition = alltrue([
      for port in [3000, 6379, 8404, 8766, 9090, 9100, 9764] : length([
        for r in aws_network_acl_rule.ingress : r
        if r.rule_action == "deny" && r.from_port <= port && port <= r.to_port && r.rule_number < 500
      ]) == 2
    ])
    error_message = "a service's port can be reached among the replies"
  }

  assert {
    condition     = toset([for r in aws_network_acl_rule.ingress : r.cidr_block if r.rule_number >= 200 && r.rule_number < 300]) == toset(["203.0.113.0/24", "198.51.100.7/32"])
    error_message = "not the named administrators get in"
  }

  assert {
    condition     = length(distinct([for name, r in aws_network_acl_rule.ingress : "${split(":", name)[0]} ${r.rule_number}"])) == length(aws_network_acl_rule.ingress)
    error_message = "two rules of a list have the same number"
  }
}

# AWS allows twenty rules a direction.
run "acl_fits_the_quota" {
  command = plan

  variables {
    admin_cidrs  = [for i in range(8) : "203.0.113.${i}/32"]
    public_ports = [80, 443, 8765]
  }

  assert {
    condition     = length([for name, r in aws_network_acl_rule.ingress : r if startswith(name, "public:")]) <= 20
    error_message = "more rules than a network ACL may have"
  }
}

run "host_group" {
  command = plan

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.ssh)) == toset(["203.0.113.0/24", "198.51.100.7/32"]) && alltrue([for r in aws_vpc_security_group_ingress_rule.ssh : r.from_port == 22 && r.to_port == 22])
    error_message = "SSH is not for the named administrators alone"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.all.ip_protocol == "-1" && aws_vpc_security_group_egress_rule.all.cidr_ipv4 == "0.0.0.0/0"
    error_message = "the way out is not open: every connection would be tracked"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.node_exporter.cidr_ipv4 == "10.80.0.0/16"
    error_message = "host metrics are open to others than the VPC"
  }
}

run "no_endpoints_unless_asked_for" {
  command = plan

  assert {
    condition     = length(aws_vpc_endpoint.interface) + length(aws_vpc_endpoint.s3) + length(aws_security_group.endpoints) == 0 && !aws_vpc.main.enable_dns_hostnames
    error_message = "endpoints, or a part of them, that nobody asked for"
  }
}

run "endpoints" {
  command = plan

  variables {
    vpc_endpoints = true
  }

  assert {
    condition     = toset([for e in aws_vpc_endpoint.interface : e.service_name]) == toset(["com.amazonaws.eu-central-1.ssm", "com.amazonaws.eu-central-1.ssmmessages"]) && alltrue([for e in aws_vpc_endpoint.interface : e.private_dns_enabled]) && aws_vpc.main.enable_dns_hostnames
    error_message = "Session Manager does not answer under its own names inside the VPC"
  }

  assert {
    condition     = aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway" && aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.80.0.0/16"
    error_message = "S3 has no gateway endpoint, or the others are open to more than the VPC"
  }
}

run "more_zones_than_the_region_has" {
  command = plan

  variables {
    availability_zone_count = 4
  }

  expect_failures = [data.aws_availability_zones.available]
}

run "no_zone" {
  command = plan

  variables {
    availability_zone_count = 0
  }

  expect_failures = [var.availability_zone_count]
}

run "range_too_large_for_a_vpc" {
  command = plan

  variables {
    vpc_cidr = "10.0.0.0/8"
  }

  expect_failures = [var.vpc_cidr]
}

run "no_range" {
  command = plan

  variables {
    vpc_cidr = "10.80.0.0"
  }

  expect_failures = [var.vpc_cidr]
}

run "unknown_egress" {
  command = plan

  variables {
    egress = "proxy"
  }

  expect_failures = [var.egress]
}

run "administration_from_the_whole_internet" {
  command = plan

  variables {
    admin_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.admin_cidrs]
}

run "more_administrators_than_rules" {
  command = plan

  variables {
    admin_cidrs = [for i in range(9) : "203.0.113.${i}/32"]
  }

  expect_failures = [var.admin_cidrs]
}

run "an_administrator_of_no_range" {
  command = plan

  variables {
    admin_cidrs = ["203.0.113.7"]
  }

  expect_failures = [var.admin_cidrs]
}

run "ssh_as_a_public_port" {
  command = plan

  variables {
    public_ports = [8765, 22]
  }

  expect_failures = [var.public_ports]
}
