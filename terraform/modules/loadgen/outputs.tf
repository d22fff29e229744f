output "instance_ids" {
  description = "The hosts."
  value       = aws_instance.main[*].id
}

output "private_ips" {
  description = "Private addresses of the hosts."
  value       = aws_instance.main[*].private_ip
}
