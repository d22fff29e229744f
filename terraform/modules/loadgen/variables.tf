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
  description = "What every host of the cluster has in common: image, key pair, security group, whether Session Manager is the way in, and what it runs at its first boot (null: nothing)."
  type = object({
    ami_id            = string
    root_device_name  = string
    key_name          = string
    security_group_id = string
    session_manager   = bool
    user_data         = string
  })
  nullable = false
}

variable "instance_type" {
  description = "EC2 instance type, of the image's architecture."
  type        = string
  nullable    = false
}

variable "volume_size_gb" {
  description = "Size of the root volume, in GB."
  type        = number
  nullable    = false
  default     = 10
}

variable "host_count" {
  description = "How many load generators. 0: none."
  type        = number
  nullable    = false
}

variable "addresses_per_host" {
  description = "Private addresses of each load generator, the first one included. One address opens some 25,000 connections to one port quickly, so a million connections to two edges take 20 in all."
  type        = number
  nullable    = false
  default     = 1

  # What the largest instance types can have on an interface.
  validation {
    condition     = var.addresses_per_host == floor(var.addresses_per_host) && var.addresses_per_host >= 1 && var.addresses_per_host <= 50
    error_message = "addresses_per_host must be a whole number from 1 to 50; got ${var.addresses_per_host}."
  }
}

variable "spot" {
  description = "Whether to take spot capacity: cheaper, and ended by AWS at two minutes' notice."
  type        = bool
  nullable    = false
  default     = false
}
