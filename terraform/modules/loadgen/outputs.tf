output "instance_ids" {
  description = "The hosts."
  value       = module.instance.instance_ids
}

output "private_ips" {
  description = "First private address of each host."
  value       = module.instance.private_ips
}
