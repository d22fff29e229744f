output "autoscaling_group_name" {
  description = "The autoscaling group."
  value       = aws_autoscaling_group.main.name
}
