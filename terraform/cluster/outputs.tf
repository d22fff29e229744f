output "cluster_name" {
  description = "Name of the cluster: the value of the tag Cluster, by which the inventory and Prometheus find the hosts."
  value       = var.cluster_name
}

output "region" {
  description = "AWS region of the cluster."
  value       = var.region
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}

output "ami" {
  description = "The image that new hosts boot."
  value       = { id = data.aws_ami.debian.id, name = data.aws_ami.debian.name }
}

output "ssh_user" {
  description = "Login user of the hosts."
  value       = "admin"
}

output "autoscaling_group_names" {
  description = "Autoscaling groups by role."
  value = {
    node = module.node.autoscaling_group_name
    edge = module.edge.autoscaling_group_name
  }
}

output "nlb_dns_name" {
  description = "DNS name of the load balancer; null without one."
  value       = module.edge.load_balancer_dns_name
}

output "edge_endpoint" {
  description = "URL for clients; null without a load balancer: then each edge's address is one, ws://ADDRESS:8765/."
  value       = module.edge.endpoint
}

output "redis_private_ip" {
  description = "Private address of Redis."
  value       = module.redis.private_ip
}

output "monitoring_private_ip" {
  description = "Private address of the monitoring host."
  value       = module.monitoring.private_ip
}

output "monitoring_public_ip" {
  description = "Public address of the monitoring host, open to admin_cidrs; null without one."
  value       = module.monitoring.public_ip
}

output "loadgen_private_ips" {
  description = "Private addresses of the load generators."
  value       = module.loadgen.private_ips
}

output "expires_at" {
  description = "When the cluster ends by itself; null: never."
  value       = var.expires_at
}

output "cost_usd_per_hour" {
  description = "What the cluster costs while it has the hosts it starts with, in USD an hour at list prices on demand (spot hosts cost less), without traffic: the sum (null if a price is not known, and then unknown says which), its parts, and how old the prices are."
  value = {
    total        = module.cost.usd_per_hour
    breakdown    = module.cost.breakdown
    unknown      = module.cost.unknown
    prices_as_of = module.cost.prices_as_of
  }
}
