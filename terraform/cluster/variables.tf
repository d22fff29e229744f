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
    condition     = length(setintersection(keys(var.tags), ["Project", "Cluster", "Role", "Name"])) == 0
    error_message = "tags must not set Project, Cluster, Role or Name, which are the fleet's own; got ${jsonencode(keys(var.tags))}."
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

variable "node" {
  description = "Hosts that run wsnode. instance_type defaults to t3.small or t4g.small, by architecture; min and max bound what autoscaling may do."
  type = object({
    instance_type  = optional(string)
    count          = optional(number, 2)
    min            = optional(number)
    max            = optional(number)
    volume_size_gb = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.node.instance_type == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.node.instance_type))
    error_message = "node.instance_type must be an EC2 instance type, such as t3.small or t4g.small, or be left out; got \"${coalesce(var.node.instance_type, "null")}\"."
  }

  validation {
    condition     = try(var.node.count == floor(var.node.count) && var.node.count >= 1 && var.node.count <= 500, false)
    error_message = "node.count must be a whole number from 1 to 500; got ${coalesce(var.node.count, "null")}."
  }

  validation {
    condition     = var.node.min == null || try(var.node.min == floor(var.node.min) && var.node.min >= 1 && var.node.min <= var.node.count, false)
    error_message = "node.min must be a whole number from 1 to node.count, or be left out (then it is node.count); got ${coalesce(var.node.min, "null")}."
  }

  validation {
    condition     = var.node.max == null || try(var.node.max == floor(var.node.max) && var.node.max >= var.node.count && var.node.max <= 500, false)
    error_message = "node.max must be a whole number from node.count to 500, or be left out (then it is node.count); got ${coalesce(var.node.max, "null")}."
  }

  validation {
    condition     = try(var.node.volume_size_gb == floor(var.node.volume_size_gb) && var.node.volume_size_gb >= 8 && var.node.volume_size_gb <= 16384, false)
    error_message = "node.volume_size_gb must be a whole number from 8 to 16384; got ${coalesce(var.node.volume_size_gb, "null")}."
  }
}

variable "edge" {
  description = "Hosts that balance, with HAProxy or Nginx. Fields as for node."
  type = object({
    instance_type  = optional(string)
    count          = optional(number, 2)
    min            = optional(number)
    max            = optional(number)
    volume_size_gb = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.edge.instance_type == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.edge.instance_type))
    error_message = "edge.instance_type must be an EC2 instance type, such as t3.small or t4g.small, or be left out; got \"${coalesce(var.edge.instance_type, "null")}\"."
  }

  validation {
    condition     = try(var.edge.count == floor(var.edge.count) && var.edge.count >= 1 && var.edge.count <= 100, false)
    error_message = "edge.count must be a whole number from 1 to 100; got ${coalesce(var.edge.count, "null")}."
  }

  validation {
    condition     = var.edge.min == null || try(var.edge.min == floor(var.edge.min) && var.edge.min >= 1 && var.edge.min <= var.edge.count, false)
    error_message = "edge.min must be a whole number from 1 to edge.count, or be left out (then it is edge.count); got ${coalesce(var.edge.min, "null")}."
  }

  validation {
    condition     = var.edge.max == null || try(var.edge.max == floor(var.edge.max) && var.edge.max >= var.edge.count && var.edge.max <= 100, false)
    error_message = "edge.max must be a whole number from edge.count to 100, or be left out (then it is edge.count); got ${coalesce(var.edge.max, "null")}."
  }

  validation {
    condition     = try(var.edge.volume_size_gb == floor(var.edge.volume_size_gb) && var.edge.volume_size_gb >= 8 && var.edge.volume_size_gb <= 16384, false)
    error_message = "edge.volume_size_gb must be a whole number from 8 to 16384; got ${coalesce(var.edge.volume_size_gb, "null")}."
  }
}

variable "redis" {
  description = "The host that joins the nodes together."
  type = object({
    instance_type  = optional(string)
    volume_size_gb = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.redis.instance_type == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.redis.instance_type))
    error_message = "redis.instance_type must be an EC2 instance type, such as t3.small or t4g.small, or be left out; got \"${coalesce(var.redis.instance_type, "null")}\"."
  }

  validation {
    condition     = try(var.redis.volume_size_gb == floor(var.redis.volume_size_gb) && var.redis.volume_size_gb >= 8 && var.redis.volume_size_gb <= 16384, false)
    error_message = "redis.volume_size_gb must be a whole number from 8 to 16384; got ${coalesce(var.redis.volume_size_gb, "null")}."
  }
}

variable "monitoring" {
  description = "The host of Prometheus and Grafana."
  type = object({
    instance_type  = optional(string)
    volume_size_gb = optional(number, 20)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.monitoring.instance_type == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.monitoring.instance_type))
    error_message = "monitoring.instance_type must be an EC2 instance type, such as t3.small or t4g.small, or be left out; got \"${coalesce(var.monitoring.instance_type, "null")}\"."
  }

  validation {
    condition     = try(var.monitoring.volume_size_gb == floor(var.monitoring.volume_size_gb) && var.monitoring.volume_size_gb >= 8 && var.monitoring.volume_size_gb <= 16384, false)
    error_message = "monitoring.volume_size_gb must be a whole number from 8 to 16384; got ${coalesce(var.monitoring.volume_size_gb, "null")}."
  }
}

variable "loadgen" {
  description = "Hosts that only generate load. count may be 0; addresses is how many each has, one for each 28,000 connections to a port."
  type = object({
    instance_type  = optional(string)
    count          = optional(number, 0)
    addresses      = optional(number, 1)
    volume_size_gb = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition     = try(var.loadgen.addresses == floor(var.loadgen.addresses) && var.loadgen.addresses >= 1 && var.loadgen.addresses <= 50, false)
    error_message = "loadgen.addresses must be a whole number from 1 to 50; got ${coalesce(var.loadgen.addresses, "null")}."
  }

  validation {
    condition     = var.loadgen.instance_type == null || can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.loadgen.instance_type))
    error_message = "loadgen.instance_type must be an EC2 instance type, such as t3.small or t4g.small, or be left out; got \"${coalesce(var.loadgen.instance_type, "null")}\"."
  }

  validation {
    condition     = try(var.loadgen.count == floor(var.loadgen.count) && var.loadgen.count >= 0 && var.loadgen.count <= 200, false)
    error_message = "loadgen.count must be a whole number from 0 to 200; got ${coalesce(var.loadgen.count, "null")}."
  }

  validation {
    condition     = try(var.loadgen.volume_size_gb == floor(var.loadgen.volume_size_gb) && var.loadgen.volume_size_gb >= 8 && var.loadgen.volume_size_gb <= 16384, false)
    error_message = "loadgen.volume_size_gb must be a whole number from 8 to 16384; got ${coalesce(var.loadgen.volume_size_gb, "null")}."
  }
}
