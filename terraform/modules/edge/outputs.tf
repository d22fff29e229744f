output "autoscaling_group_name" {
  description = "Autoscaling group of the edges."
  value       = module.group.autoscaling_group_name
}

output "security_group_id" {
  description = "Security group of the edges."
  value       = module.role.identity.security_group_id
}

output "load_balancer_dns_name" {
  description = "DNS name of the load balancer; null without one."
  value       = one(aws_lb.main[*].dns_name)
}

output "endpoint" {
  description = "URL for clients; null without a load balancer, when each edge's address is one."
  value       = var.load_balancer ? "ws://${aws_lb.main[0].dns_name}:${var.listen_port}/" : null
}

output "load_balancer_arn" {
  description = "The load balancer; null without one."
  value       = one(aws_lb.main[*].arn)
}
