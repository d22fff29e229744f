locals {
  name = "${var.cluster_name}-monitoring"
  tags = { Name = local.name, Role = "monitoring" }

  web_ports = { prometheus = 9090, grafana = 3000 }
}

# One instance, not a group of one: Prometheus keeps its history on the disk, and a group would start again without it.
resource "aws_instance" "main" {
  ami                    = var.host.ami_id
  instance_type          = var.instance_type
  key_name               = var.host.key_name
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [var.host.security_group_id, aws_security_group.main.id]
  iam_instance_profile   = aws_iam_instance_profile.main.name

  # IMDSv2 only. One hop: no container has business with it.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.volume_size_gb
    encrypted             = true
    delete_on_termination = true
    tags                  = local.tags
  }

  tags = local.tags

  # A newer image is no reason to throw away a running host and its data: to take it, replace the host on purpose.
  lifecycle {
    ignore_changes = [ami]
  }
}
