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

variable "role" {
  description = "What the hosts are for: node, edge, redis, monitoring or loadgen. Their tag Role."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["node", "edge", "redis", "monitoring", "loadgen"], var.role)
    error_message = "role must be node, edge, redis, monitoring or loadgen; got \"${var.role}\"."
  }
}

variable "description" {
  description = "What the role's security group lets in, in a few words."
  type        = string
  nullable    = false
}

variable "session_manager" {
  description = "Whether the hosts may register with Session Manager, so that administrators get in without SSH."
  type        = bool
  nullable    = false
}

variable "policies" {
  description = "What else the hosts may do in AWS: IAM policies in JSON, by name."
  type        = map(string)
  nullable    = false
  default     = {}
}
