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

variable "subnet_id" {
  description = "Subnet of the host."
  type        = string
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
  default     = 20
}

variable "admin_cidrs" {
  description = "IPv4 ranges that may open Prometheus and Grafana. Empty: nobody."
  type        = list(string)
  nullable    = false
  default     = []
}
