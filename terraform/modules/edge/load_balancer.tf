# No security group on the balancer: with one, it would track every client. What may reach the edges is the ACL's.
resource "aws_lb" "main" {
  count = var.load_balancer ? 1 : 0

  name                             = module.role.identity.name
  load_balancer_type               = "network"
  internal                         = false
  subnets                          = var.subnet_ids
  enable_cross_zone_load_balancing = true

  tags = module.role.identity.tags
}

resource "aws_lb_target_group" "main" {
  count = var.load_balancer ? 1 : 0

  name               = module.role.identity.name
  vpc_id             = var.vpc_id
  protocol           = "TCP"
  port               = var.listen_port
  preserve_client_ip = true

  # Time for an edge to end its connections by itself before the balancer forgets them.
  deregistration_delay = 300

  # A TCP connect to the listener: the same for HAProxy and Nginx, and it fails as soon as either stops listening to drain.
  health_check {
    protocol            = "TCP"
    port                = "traffic-port"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  tags = module.role.identity.tags
}

resource "aws_lb_listener" "main" {
  count = var.load_balancer ? 1 : 0

  load_balancer_arn        = aws_lb.main[0].arn
  protocol                 = "TCP"
  port                     = var.listen_port
  tcp_idle_timeout_seconds = var.idle_timeout_seconds

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.main[0].arn
  }

  tags = module.role.identity.tags
}
