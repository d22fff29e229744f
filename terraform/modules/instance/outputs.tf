output "instance_ids" {
  description = "The hosts."
  value       = aws_instance.main[*].id
}

output "private_ips" {
  description = "First private address of each host."
  value       = aws_instance.main[*].private_ip
}

output "public_ips" {
  description = "Public address of each host; null where it has none."
  value       = [for i in aws_instance.main : i.public_ip != "" ? i.public_ip : null]
}
