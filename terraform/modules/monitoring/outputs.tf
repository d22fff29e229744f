output "instance_id" {
  description = "The host."
  value       = aws_instance.main.id
}

output "private_ip" {
  description = "Private address of the host."
  value       = aws_instance.main.private_ip
}

output "public_ip" {
  description = "Public address of the host; null without one."
  value       = aws_instance.main.public_ip != "" ? aws_instance.main.public_ip : null
}
