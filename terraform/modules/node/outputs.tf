output "autoscaling_group_name" {
  description = "Autoscaling group of the nodes."
  value       = aws_autoscaling_group.main.name
}

output "security_group_id" {
  description = "Security group of the nodes."
  value       = aws_security_group.main.id
}
