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
