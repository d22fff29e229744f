variable "cluster_name" {
  description = "Name of the cluster; prefixes the name of everything made here."
  type        = string
  nullable    = false
}

variable "vpc_id" {
  description = "VPC of the cluster."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Public subnets that the load generators are spread over."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
  }
}

variable "subnet_cidr_blocks" {
  description = "Ranges of addresses of these subnets, in their order. Secondary addresses come from their upper ends."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_cidr_blocks) == length(var.subnet_ids)
    error_message = "subnet_cidr_blocks must have as many elements as subnet_ids: ${length(var.subnet_ids)}; got ${length(var.subnet_cidr_blocks)}."
  }
}

variable "host" {
  description = "What every host of the cluster has in common: image, key pair, security group."
  type = object({
    ami_id            = string
    root_device_name  = string
    key_name          = string
    security_group_id = string
  })
  nullable = false
}

variable "instance_type" {
  description = "EC2 instance type, of the image's architecture."
  type        = string
  nullable    = false
}

variable "host_count" {
  description = "How many load generators. 0: none."
  type        = number
  nullable    = false

  validation {
    condition     = var.host_count == floor(var.host_count) && var.host_count >= 0 && var.host_count <= 200
    error_message = "host_count must be a whole number from 0 to 200; got ${var.host_count}."
  }
}

variable "addresses_per_host" {
  description = "Private addresses of each load generator, the first one included. One address opens some 28,000 connections to one port quickly, so a million connections to two edges take 18 in all."
  type        = number
  nullable    = false
  default     = 1

  # What the largest instance types can have on an interface.
  validation {
    condition     = var.addresses_per_host == floor(var.addresses_per_host) && var.addresses_per_host >= 1 && var.addresses_per_host <= 50
    error_message = "addresses_per_host must be a whole number from 1 to 50; got ${var.addresses_per_host}."
  }
}

variable "volume_size_gb" {
  description = "Size of the root volume, in GB."
  type        = number
  nullable    = false
  default     = 10

  # Debian's image has 8 GB.
  validation {
    condition     = var.volume_size_gb == floor(var.volume_size_gb) && var.volume_size_gb >= 8 && var.volume_size_gb <= 16384
    error_message = "volume_size_gb must be a whole number from 8 to 16384; got ${var.volume_size_gb}."
  }
}
