variable "identity" {
  description = "What every host of the role carries: the output of the module role."
  type = object({
    name                  = string
    tags                  = map(string)
    security_group_id     = string
    instance_profile_name = string
  })
  nullable = false
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

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type))
    error_message = "instance_type must be an EC2 instance type, such as t3.small or t4g.small; got \"${var.instance_type}\"."
  }
}

variable "subnet_ids" {
  description = "Subnets that the hosts are spread over."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet; got none."
  }
}

variable "size" {
  description = "How many hosts: the least, the most, and the number wanted now."
  type = object({
    min     = number
    max     = number
    desired = number
  })
  nullable = false

  validation {
    condition     = alltrue([for n in values(var.size) : n == floor(n) && n >= 1]) && var.size.min <= var.size.desired && var.size.desired <= var.size.max
    error_message = "size must be whole numbers with 1 <= min <= desired <= max; got min ${var.size.min}, desired ${var.size.desired}, max ${var.size.max}."
  }
}

variable "volume_size_gb" {
  description = "Size of the root volume, in GB."
  type        = number
  nullable    = false

  # Debian's image has 8 GB.
  validation {
    condition     = var.volume_size_gb == floor(var.volume_size_gb) && var.volume_size_gb >= 8 && var.volume_size_gb <= 16384
    error_message = "volume_size_gb must be a whole number from 8 to 16384; got ${var.volume_size_gb}."
  }
}

variable "spot" {
  description = "Whether to take spot capacity: cheaper, and ended by AWS at two minutes' notice."
  type        = bool
  nullable    = false
  default     = false
}

variable "placement" {
  description = "How the hosts are placed on AWS's machines: none (as AWS likes), spread (each on a rack of its own), partition (in three groups that share no rack) or cluster (close together, in one zone)."
  type        = string
  nullable    = false
  default     = "none"

  validation {
    condition     = contains(["none", "spread", "partition", "cluster"], var.placement)
    error_message = "placement must be none, spread, partition or cluster; got \"${var.placement}\"."
  }
}

variable "target_group_arns" {
  description = "Target groups of load balancers that the hosts join."
  type        = list(string)
  nullable    = false
  default     = []
}
