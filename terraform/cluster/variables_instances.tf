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
  description = "Hosts that only generate load. count may be 0; addresses is how many each has, one for each 25,000 connections to an edge."
  type = object({
    instance_type  = optional(string)
    count          = optional(number, 0)
    addresses      = optional(number, 1)
    volume_size_gb = optional(number, 10)
    spot           = optional(bool, false)
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
