variable "node" {
  description = "Hosts that run wsnode. instance_type defaults to t3.small or t4g.small, by architecture; min and max bound what autoscaling may do; capacity is the connections that one holds; spot takes spot capacity; placement is none, spread (each on a rack of its own), partition (three groups that share no rack) or cluster (close together, in one zone)."
  type = object({
    instance_type  = optional(string)
    count          = optional(number, 2)
    min            = optional(number)
    max            = optional(number)
    volume_size_gb = optional(number, 10)
    capacity       = optional(number, 100000)
    spot           = optional(bool, false)
    placement      = optional(string, "none")
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

  validation {
    condition     = try(var.node.capacity == floor(var.node.capacity) && var.node.capacity >= 1, false)
    error_message = "node.capacity must be a whole number, 1 or more; got ${coalesce(var.node.capacity, "null")}."
  }

  validation {
    condition     = contains(["none", "spread", "partition", "cluster"], coalesce(var.node.placement, "null"))
    error_message = "node.placement must be none, spread, partition or cluster; got \"${coalesce(var.node.placement, "null")}\"."
  }

  # A spread placement group has seven places in a zone.
  validation {
    condition     = var.node.placement != "spread" || try(coalesce(var.node.max, var.node.count) <= 7 * var.availability_zone_count, true)
    error_message = "node.placement spread takes 7 hosts in each of the ${var.availability_zone_count} zones; got ${coalesce(var.node.max, var.node.count, 0)}."
  }

  validation {
    condition     = var.node.placement != "cluster" || var.availability_zone_count == 1
    error_message = "node.placement cluster is within one zone; got availability_zone_count ${var.availability_zone_count}."
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
    capacity       = optional(number, 350000)
    spot           = optional(bool, false)
    placement      = optional(string, "none")
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

  validation {
    condition     = try(var.edge.capacity == floor(var.edge.capacity) && var.edge.capacity >= 1, false)
    error_message = "edge.capacity must be a whole number, 1 or more; got ${coalesce(var.edge.capacity, "null")}."
  }

  validation {
    condition     = contains(["none", "spread", "partition", "cluster"], coalesce(var.edge.placement, "null"))
    error_message = "edge.placement must be none, spread, partition or cluster; got \"${coalesce(var.edge.placement, "null")}\"."
  }

  # A spread placement group has seven places in a zone.
  validation {
    condition     = var.edge.placement != "spread" || try(coalesce(var.edge.max, var.edge.count) <= 7 * var.availability_zone_count, true)
    error_message = "edge.placement spread takes 7 hosts in each of the ${var.availability_zone_count} zones; got ${coalesce(var.edge.max, var.edge.count, 0)}."
  }

  validation {
    condition     = var.edge.placement != "cluster" || var.availability_zone_count == 1
    error_message = "edge.placement cluster is within one zone; got availability_zone_count ${var.availability_zone_count}."
  }
}
