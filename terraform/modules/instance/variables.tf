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

variable "host_count" {
  description = "How many hosts. 0: none."
  type        = number
  nullable    = false
  default     = 1

  validation {
    condition     = var.host_count == floor(var.host_count) && var.host_count >= 0 && var.host_count <= 200
    error_message = "host_count must be a whole number from 0 to 200; got ${var.host_count}."
  }
}

variable "secondary_private_ips" {
  description = "Addresses of each host beside its first one: a list a host. Empty: none for any."
  type        = list(list(string))
  nullable    = false
  default     = []

  validation {
    condition     = contains([0, var.host_count], length(var.secondary_private_ips))
    error_message = "secondary_private_ips must be empty or have a list for each of the ${var.host_count} hosts; got ${length(var.secondary_private_ips)} lists."
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
