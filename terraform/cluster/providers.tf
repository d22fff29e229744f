locals {
  # Whatever is wrong with the variables is to be said alone, not after pages of plan for what does not depend on them.
  # Everything depends on the provider's configuration, so that one depends on all variables with a rule.
  checked = [
    var.cluster_name, var.region, var.architecture, var.ssh_public_key, var.tags,
    var.vpc_cidr, var.availability_zone_count, var.egress, var.admin_cidrs, var.session_manager, var.expires_at, var.connections,
    var.node, var.edge, var.redis, var.monitoring, var.loadgen,
  ]
}

provider "aws" {
  region = length(local.checked) > 0 ? var.region : null

  default_tags {
    tags = merge(
      var.tags,
      { Project = "wsfleet", Cluster = var.cluster_name },
      var.expires_at == null ? {} : { ExpiresAt = var.expires_at },
    )
  }
}
