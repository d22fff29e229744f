# The end of a test cluster that nobody destroyed: EventBridge Scheduler calls the API itself, once, with no function and no
# host in between. What costs by the hour goes; the rest (network, groups, roles) is free and waits for `terraform destroy`.
locals {
  # A public address can only be given back when the gateway that holds it is gone, which takes minutes.
  release_at = timeadd(var.expires_at, "15m")

  calls = merge(
    { for role, name in var.autoscaling_group_names : "group-${role}" => {
      at    = var.expires_at, service = "autoscaling", action = "deleteAutoScalingGroup"
      input = { AutoScalingGroupName = name, ForceDelete = true }
    } },
    { instances = {
      at    = var.expires_at, service = "ec2", action = "terminateInstances"
      input = { InstanceIds = var.instance_ids }
    } },
    { for name, arn in var.load_balancer_arns : "balancer-${name}" => {
      at    = var.expires_at, service = "elasticloadbalancingv2", action = "deleteLoadBalancer"
      input = { LoadBalancerArn = arn }
    } },
    { for zone, nat in var.nat_gateways : "nat-${zone}" => {
      at    = var.expires_at, service = "ec2", action = "deleteNatGateway"
      input = { NatGatewayId = nat.id }
    } },
    { for zone, nat in var.nat_gateways : "address-${zone}" => {
      at    = local.release_at, service = "ec2", action = "releaseAddress"
      input = { AllocationId = nat.allocation_id }
    } },
    length(var.vpc_endpoint_ids) == 0 ? {} : { endpoints = {
      at    = var.expires_at, service = "ec2", action = "deleteVpcEndpoints"
      input = { VpcEndpointIds = var.vpc_endpoint_ids }
    } },
  )
}

resource "aws_scheduler_schedule_group" "main" {
  name = "${var.cluster_name}-expiry"
}

resource "aws_scheduler_schedule" "main" {
  for_each = local.calls

  name       = "${var.cluster_name}-${each.key}"
  group_name = aws_scheduler_schedule_group.main.name

  schedule_expression          = "at(${trimsuffix(each.value.at, "Z")})"
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  # A call that fails is made again for a day.
  target {
    arn      = "arn:${data.aws_partition.current.partition}:scheduler:::aws-sdk:${each.value.service}:${each.value.action}"
    role_arn = aws_iam_role.main.arn
    input    = jsonencode(each.value.input)

    retry_policy {
      maximum_event_age_in_seconds = 86400
      maximum_retry_attempts       = 185
    }
  }
}
