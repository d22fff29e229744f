output "instance_id" {
  description = "The host."
  value       = one(module.instance.instance_ids)
}

output "private_ip" {
  description = "Private address of the host."
  value       = one(module.instance.private_ips)
}
