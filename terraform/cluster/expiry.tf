# A cluster that is to end by itself: see docs/adr/0006-clusters-that-end-themselves.md.
module "expiry" {
  source = "../modules/expiry"
  count  = var.expires_at == null ? 0 : 1

  cluster_name = var.cluster_name
  expires_at   = var.expires_at

  autoscaling_group_names = { node = module.node.autoscaling_group_name, edge = module.edge.autoscaling_group_name }
  instance_ids            = concat([module.redis.instance_id, module.monitoring.instance_id], module.loadgen.instance_ids)
  load_balancer_arns      = var.load_balancer ? { edge = module.edge.load_balancer_arn } : {}
  nat_gateways            = module.network.nat_gateways
  vpc_endpoint_ids        = values(module.network.interface_endpoint_ids)
}

# A warning, not an error: a cluster whose time is over must still be destroyed.
check "time_is_not_over" {
  assert {
    condition     = var.expires_at == null || try(timecmp(plantimestamp(), var.expires_at) < 0, true)
    error_message = "expires_at is past: the cluster has ended, or is about to; what is left goes with terraform destroy, or give it a later one."
  }
}
