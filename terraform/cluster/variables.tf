variable "cluster_name" {
  description = "Name of the cluster: prefixes names, and is the tag by which everything else finds its hosts."
  type        = string
  nullable    = false

  # The longest name made of it is the load balancer's, with 32 characters.
  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", var.cluster_name))
    error_message = "cluster_name must be 1 to 20 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen; got \"${var.cluster_name}\"."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as eu-central-1; got \"${var.region}\"."
  }
}

variable "architecture" {
  description = "CPU architecture of all hosts, by Debian's name: amd64 or arm64."
  type        = string
  nullable    = false
  default     = "amd64"

  validation {
    condition     = contains(["amd64", "arm64"], var.architecture)
    error_message = "architecture must be amd64 or arm64; got \"${var.architecture}\"."
  }
}

variable "ssh_public_key" {
  description = "Public key that may log in as admin, in OpenSSH's format. Not a file name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(ssh-ed25519|ssh-rsa) AAAA[A-Za-z0-9+/]+=*( .*)?\\s*$", var.ssh_public_key))
    error_message = "ssh_public_key must be the text of an OpenSSH public key, starting with ssh-ed25519 or ssh-rsa (EC2 takes no other kinds); got \"${substr(var.ssh_public_key, 0, 40)}\"."
  }
}

variable "tags" {
  description = "More tags for everything, such as an owner or a cost centre."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.tags), ["Project", "Cluster", "Role", "Name", "ExpiresAt"])) == 0
    error_message = "tags must not set Project, Cluster, Role, Name or ExpiresAt, which are the fleet's own; got ${jsonencode(keys(var.tags))}."
  }
}

variable "load_balancer" {
  description = "Whether a Network Load Balancer stands before the edges. Without one, clients use the edges' own addresses."
  type        = bool
  nullable    = false
  default     = true
}

variable "vpc_cidr" {
  description = "Private IPv4 range of the VPC."
  type        = string
  nullable    = false
  default     = "10.80.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "vpc_cidr must be an IPv4 range from /16 to /20, such as 10.80.0.0/16; got \"${var.vpc_cidr}\"."
  }
}

variable "availability_zone_count" {
  description = "How many availability zones the hosts are spread over."
  type        = number
  nullable    = false
  default     = 2

  validation {
    condition     = contains([1, 2, 3, 4, 5, 6], var.availability_zone_count)
    error_message = "availability_zone_count must be 1, 2, 3, 4, 5 or 6; got ${var.availability_zone_count}."
  }
}

variable "egress" {
  description = "How hosts of the private subnets (nodes, Redis, monitoring) reach the internet: none, public_ip (own public addresses, no gateway to pay for), nat (one NAT gateway) or nat_per_zone. Nothing outside but admin_cidrs reaches them in any of these."
  type        = string
  nullable    = false
  default     = "nat"

  validation {
    condition     = contains(["none", "public_ip", "nat", "nat_per_zone"], var.egress)
    error_message = "egress must be none, public_ip, nat or nat_per_zone; got \"${var.egress}\"."
  }
}

variable "admin_cidrs" {
  description = "IPv4 ranges that may use SSH, Prometheus and Grafana. Empty: nobody."
  type        = list(string)
  nullable    = false
  default     = []

  validation {
    condition     = length(var.admin_cidrs) <= 8 && length(var.admin_cidrs) == length(distinct(var.admin_cidrs))
    error_message = "admin_cidrs takes at most 8 ranges, each once; got ${length(var.admin_cidrs)}."
  }

  validation {
    condition     = alltrue([for c in var.admin_cidrs : can(cidrhost(c, 0)) && !strcontains(c, ":") && try(tonumber(split("/", c)[1]), 0) >= 8])
    error_message = "admin_cidrs must be IPv4 ranges from /8 to /32, such as 203.0.113.7/32, never the whole internet; got ${jsonencode(var.admin_cidrs)}."
  }
}

variable "session_manager" {
  description = "Whether administrators get to a shell of every host by Session Manager: the hosts may register with it, and install its agent at their first boot. They need a way out for that, or vpc_endpoints."
  type        = bool
  nullable    = false
  default     = true

  validation {
    condition     = !var.session_manager || var.egress != "none" || var.vpc_endpoints
    error_message = "session_manager needs egress other than none, or vpc_endpoints: the hosts could not reach it; got egress \"none\" and vpc_endpoints false."
  }
}

variable "vpc_endpoints" {
  description = "Whether hosts reach Session Manager and S3 inside the VPC, by endpoints that cost by the hour."
  type        = bool
  nullable    = false
  default     = false
}

variable "expires_at" {
  description = "When the cluster ends by itself (docs/adr/0006-clusters-that-end-themselves.md): an instant of RFC 3339 in UTC, such as 2026-01-31T18:00:00Z. null: never."
  type        = string
  default     = null

  validation {
    condition     = var.expires_at == null || (can(timeadd(var.expires_at, "0s")) && endswith(coalesce(var.expires_at, "-"), "Z"))
    error_message = "expires_at must be an instant in UTC, such as 2026-01-31T18:00:00Z, or null; got \"${coalesce(var.expires_at, "null")}\"."
  }
}

# One address opens so many connections to one port quickly: half the ephemeral ports, which the kernel hands out first.
locals {
  connections_per_pair = 25000
}

variable "connections" {
  description = "Connections that the cluster is to hold, also without its largest loss: one node, one edge. Checked against the hosts, never passed on. null: not said, nothing is checked."
  type        = number
  default     = null

  validation {
    condition     = var.connections == null || try(var.connections == floor(var.connections) && var.connections >= 1, false)
    error_message = "connections must be a whole number, 1 or more, or null; got ${coalesce(var.connections, "null")}."
  }

  validation {
    condition     = var.connections == null || try(var.connections <= (var.node.count - 1) * var.node.capacity, true)
    error_message = "connections is ${coalesce(var.connections, 0)}, but without one node there are ${try((var.node.count - 1) * var.node.capacity, 0)} places (node.count ${coalesce(var.node.count, 0)}, node.capacity ${coalesce(var.node.capacity, 0)}): more nodes, or larger ones."
  }

  validation {
    condition     = var.connections == null || try(var.connections <= (var.edge.count - 1) * var.edge.capacity, true)
    error_message = "connections is ${coalesce(var.connections, 0)}, but without one edge there are ${try((var.edge.count - 1) * var.edge.capacity, 0)} places (edge.count ${coalesce(var.edge.count, 0)}, edge.capacity ${coalesce(var.edge.capacity, 0)}): more edges, or larger ones."
  }

  validation {
    condition     = var.connections == null || try(var.loadgen.count == 0 || var.connections <= local.connections_per_pair * var.loadgen.count * var.loadgen.addresses * (var.edge.count - 1), true)
    error_message = "connections is ${coalesce(var.connections, 0)}, but the load generators' addresses open ${try(local.connections_per_pair * var.loadgen.count * var.loadgen.addresses * (var.edge.count - 1), 0)} without one edge, at 25000 for each address and edge (loadgen.count ${coalesce(var.loadgen.count, 0)}, loadgen.addresses ${coalesce(var.loadgen.addresses, 0)}): more of either."
  }
}
