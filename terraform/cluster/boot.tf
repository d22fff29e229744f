locals {
  # Debian's images have cloud-init, which runs this once, and lack Session Manager's agent.
  user_data = !var.session_manager ? null : templatefile("${path.module}/boot/session-manager.sh.tftpl", {
    url = "https://s3.${var.region}.amazonaws.com/amazon-ssm-${var.region}/latest/debian_${var.architecture}/amazon-ssm-agent.deb"
  })
}
