variable "cluster_name" {
  description = "Name of the cluster: its tag Cluster bounds what may be ended."
  type        = string
  nullable    = false
}

variable "expires_at" {
  description = "When the cluster ends: an instant of RFC 3339 in UTC, such as 2026-01-31T18:00:00Z."
  type        = string
  nullable    = false

  validation {
    condition     = can(timeadd(var.expires_at, "0s")) && endswith(var.expires_at, "Z")
    error_message = "expires_at must be an instant in UTC, such as 2026-01-31T18:00:00Z; got \"${var.expires_at}\"."
  }
}

variable "autoscaling_group_names" {
  description = "Autoscaling groups to end with their hosts, by role."
  type        = map(string)
  nullable    = false
}

variable "instance_ids" {
  description = "Instances outside of groups."
  type        = list(string)
  nullable    = false
}

variable "load_balancer_arns" {
  description = "Load balancers, by a name that is known before they are."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "nat_gateways" {
  description = "NAT gateways and their public addresses, by zone."
  type        = map(object({ id = string, allocation_id = string }))
  nullable    = false
  default     = {}
}

variable "vpc_endpoint_ids" {
  description = "Interface endpoints."
  type        = list(string)
  nullable    = false
  default     = []
}
