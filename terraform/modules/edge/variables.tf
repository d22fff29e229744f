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
  description = "Public subnets: of the edges and of the load balancer before them."
  type        = list(string)
  nullable    = false
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

variable "size" {
  description = "How many hosts: the least, the most, and the number wanted now."
  type = object({
    min     = number
    max     = number
    desired = number
  })
  nullable = false
}

variable "spot" {
  description = "Whether to take spot capacity: cheaper, and ended by AWS at two minutes' notice."
  type        = bool
  nullable    = false
  default     = false
}

variable "placement" {
  description = "Placement of the hosts: none, spread, partition or cluster."
  type        = string
  nullable    = false
  default     = "none"
}

variable "load_balancer" {
  description = "Whether a Network Load Balancer stands before the edges. Without one, clients use the edges' own addresses."
  type        = bool
  nullable    = false
  default     = true
}

variable "listen_port" {
  description = "TCP port that the edges listen on, and the load balancer too."
  type        = number
  nullable    = false
  default     = 8765

  validation {
    condition     = var.listen_port == floor(var.listen_port) && var.listen_port >= 1 && var.listen_port <= 65535
    error_message = "listen_port must be a whole number from 1 to 65535; got ${var.listen_port}."
  }
}

variable "idle_timeout_seconds" {
  description = "How long the load balancer keeps a connection on which nothing is sent, in seconds."
  type        = number
  nullable    = false
  default     = 3600

  validation {
    condition     = var.idle_timeout_seconds == floor(var.idle_timeout_seconds) && var.idle_timeout_seconds >= 60 && var.idle_timeout_seconds <= 6000
    error_message = "idle_timeout_seconds must be a whole number from 60 to 6000; got ${var.idle_timeout_seconds}."
  }
}
