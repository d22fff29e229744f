output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.main.id
}

# Hosts depend on the routes: they need the internet from their first boot on, and a gateway cannot be
# detached while hosts with public addresses remain.
output "public_subnet_ids" {
  description = "Public subnets, one a zone, in the order of the zones."
  value       = [for zone in sort(keys(local.zones)) : aws_subnet.public[zone].id]
  depends_on  = [aws_route.public, aws_route_table_association.public, aws_network_acl_rule.ingress, aws_network_acl_rule.egress]
}

output "public_subnet_cidr_blocks" {
  description = "Their ranges of addresses, in the same order."
  value       = [for zone in sort(keys(local.zones)) : aws_subnet.public[zone].cidr_block]
}

output "private_subnet_ids" {
  description = "Private subnets, one a zone, in the order of the zones."
  value       = [for zone in sort(keys(local.zones)) : aws_subnet.private[zone].id]
  depends_on  = [aws_route.private, aws_route_table_association.private, aws_network_acl_rule.ingress, aws_network_acl_rule.egress]
}

output "host_security_group_id" {
  description = "Security group that every host carries."
  value       = aws_security_group.host.id
  depends_on = [
    aws_vpc_security_group_ingress_rule.ssh,
    aws_vpc_security_group_egress_rule.all,
  ]
}

output "nat_gateways" {
  description = "NAT gateways and their public addresses, by zone."
  value       = { for zone, nat in aws_nat_gateway.main : zone => { id = nat.id, allocation_id = aws_eip.nat[zone].allocation_id } }
}

output "interface_endpoint_ids" {
  description = "Endpoints that cost by the hour, by service."
  value       = { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id }
}
