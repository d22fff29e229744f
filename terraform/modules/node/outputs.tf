output "autoscaling_group_name" {
  description = "Autoscaling group of the nodes."
  value       = module.group.autoscaling_group_name
}

output "security_group_id" {
  description = "Security group of the nodes."
  value       = module.role.identity.security_group_id
}
