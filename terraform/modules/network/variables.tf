variable "cluster_name" {
  description = "Name of the cluster; prefixes the name of everything made here."
  type        = string
  nullable    = false
}

variable "vpc_cidr" {
  description = "Private IPv4 range of the VPC. Every subnet gets a sixteenth of it."
  type        = string
  nullable    = false

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]), 0) >= 16 && try(tonumber(split("/", var.vpc_cidr)[1]), 99) <= 20
    error_message = "vpc_cidr must be an IPv4 range from /16 to /20, such as 10.80.0.0/16; got \"${var.vpc_cidr}\"."
  }
}

variable "availability_zone_count" {
  description = "How many availability zones the subnets are spread over."
  type        = number
  nullable    = false
  default     = 2

  validation {
    condition     = contains([1, 2, 3, 4, 5, 6], var.availability_zone_count)
    error_message = "availability_zone_count must be 1, 2, 3, 4, 5 or 6; got ${var.availability_zone_count}."
  }
}

variable "egress" {
  description = "How hosts of the private subnets reach the internet: none, public_ip (own public addresses, no gateway to pay for), nat (one NAT gateway) or nat_per_zone. Nothing outside but admin_cidrs reaches them in any of these."
  type        = string
  nullable    = false
  default     = "none"

  validation {
    condition     = contains(["none", "public_ip", "nat", "nat_per_zone"], var.egress)
    error_message = "egress must be none, public_ip, nat or nat_per_zone; got \"${var.egress}\"."
  }
}

variable "admin_cidrs" {
  description = "IPv4 ranges that may administer the hosts (SSH). Empty: nobody."
  type        = list(string)
  nullable    = false
  default     = []

  # Each takes one of the twenty rules that a network ACL may have.
  validation {
    condition     = length(var.admin_cidrs) <= 8 && length(var.admin_cidrs) == length(distinct(var.admin_cidrs))
    error_message = "admin_cidrs takes at most 8 ranges, each once; got ${length(var.admin_cidrs)}."
  }

  validation {
    condition     = alltrue([for c in var.admin_cidrs : can(cidrhost(c, 0)) && !strcontains(c, ":") && try(tonumber(split("/", c)[1]), 0) >= 8])
    error_message = "admin_cidrs must be IPv4 ranges from /8 to /32, such as 203.0.113.7/32, never the whole internet; got ${jsonencode(var.admin_cidrs)}."
  }
}

variable "public_ports" {
  description = "TCP ports that the whole internet may reach in the public subnets (the edges' listeners)."
  type        = list(number)
  nullable    = false
  default     = [8765]

  validation {
    condition     = length(var.public_ports) <= 3 && alltrue([for p in var.public_ports : p == floor(p) && p >= 1 && p <= 65535 && p != 22])
    error_message = "public_ports takes at most 3 whole numbers from 1 to 65535, 22 excepted; got ${jsonencode(var.public_ports)}."
  }
}

variable "vpc_endpoints" {
  description = "Whether hosts reach Session Manager and S3 inside the VPC."
  type        = bool
  nullable    = false
  default     = false
}
