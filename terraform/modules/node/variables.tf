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
  description = "Subnets that the nodes are spread over."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids must name at least one subnet."
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
  default     = 10

  # Debian's image has 8 GB.
  validation {
    condition     = var.volume_size_gb == floor(var.volume_size_gb) && var.volume_size_gb >= 8 && var.volume_size_gb <= 16384
    error_message = "volume_size_gb must be a whole number from 8 to 16384; got ${var.volume_size_gb}."
  }
}
