variable "region" {
  description = "AWS region of the cluster. Only eu-central-1 has prices here; in others the cost is unknown."
  type        = string
  nullable    = false
}

variable "hosts" {
  description = "The hosts, by role: their type, how many, the size of each one's disk, and whether each has a public address."
  type = map(object({
    instance_type  = string
    count          = number
    volume_size_gb = number
    public_address = bool
  }))
  nullable = false

  validation {
    condition     = alltrue([for h in values(var.hosts) : h.count == floor(h.count) && h.count >= 0 && h.volume_size_gb >= 0])
    error_message = "hosts must have whole counts and sizes, none below 0; got ${jsonencode(var.hosts)}."
  }
}

variable "load_balancer_zones" {
  description = "In how many zones the Network Load Balancer has an address. 0: there is no balancer."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = contains([0, 1, 2, 3, 4, 5, 6], var.load_balancer_zones)
    error_message = "load_balancer_zones must be 0, 1, 2, 3, 4, 5 or 6; got ${var.load_balancer_zones}."
  }
}

variable "connections" {
  description = "Connections that the balancer holds open at most: they set its capacity units."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = var.connections >= 0
    error_message = "connections must be 0 or more; got ${var.connections}."
  }
}

variable "nat_gateways" {
  description = "How many NAT gateways."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = contains([0, 1, 2, 3, 4, 5, 6], var.nat_gateways)
    error_message = "nat_gateways must be 0, 1, 2, 3, 4, 5 or 6; got ${var.nat_gateways}."
  }
}

variable "interface_endpoints" {
  description = "How many interface endpoints, each counted once a zone."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = var.interface_endpoints == floor(var.interface_endpoints) && var.interface_endpoints >= 0
    error_message = "interface_endpoints must be a whole number, 0 or more; got ${var.interface_endpoints}."
  }
}
