resource "aws_key_pair" "main" {
  key_name   = var.cluster_name
  public_key = var.ssh_public_key
}

locals {
  host = {
    ami_id            = data.aws_ami.debian.id
    root_device_name  = data.aws_ami.debian.root_device_name
    key_name          = aws_key_pair.main.key_name
    security_group_id = module.network.host_security_group_id
    session_manager   = var.session_manager
    user_data         = local.user_data
  }

  public_subnet_ids  = module.network.public_subnet_ids
  private_subnet_ids = module.network.private_subnet_ids
}

module "node" {
  source = "../modules/node"

  cluster_name   = var.cluster_name
  vpc_id         = module.network.vpc_id
  subnet_ids     = local.private_subnet_ids
  host           = local.host
  instance_type  = data.aws_ec2_instance_type.of_role["node"].instance_type
  volume_size_gb = var.node.volume_size_gb
  spot           = var.node.spot
  placement      = var.node.placement
  size = {
    min     = coalesce(var.node.min, var.node.count)
    max     = coalesce(var.node.max, var.node.count)
    desired = var.node.count
  }
}

module "edge" {
  source = "../modules/edge"

  cluster_name   = var.cluster_name
  vpc_id         = module.network.vpc_id
  subnet_ids     = local.public_subnet_ids
  host           = local.host
  instance_type  = data.aws_ec2_instance_type.of_role["edge"].instance_type
  volume_size_gb = var.edge.volume_size_gb
  spot           = var.edge.spot
  placement      = var.edge.placement
  load_balancer  = var.load_balancer
  size = {
    min     = coalesce(var.edge.min, var.edge.count)
    max     = coalesce(var.edge.max, var.edge.count)
    desired = var.edge.count
  }
}

module "redis" {
  source = "../modules/redis"

  cluster_name              = var.cluster_name
  vpc_id                    = module.network.vpc_id
  subnet_id                 = local.private_subnet_ids[0]
  host                      = local.host
  instance_type             = data.aws_ec2_instance_type.of_role["redis"].instance_type
  volume_size_gb            = var.redis.volume_size_gb
  client_security_group_ids = { node = module.node.security_group_id }
}

module "monitoring" {
  source = "../modules/monitoring"

  cluster_name   = var.cluster_name
  vpc_id         = module.network.vpc_id
  subnet_id      = local.private_subnet_ids[0]
  host           = local.host
  instance_type  = data.aws_ec2_instance_type.of_role["monitoring"].instance_type
  volume_size_gb = var.monitoring.volume_size_gb
  admin_cidrs    = var.admin_cidrs
}

# In the public subnets whatever the egress: through a NAT gateway every connection would be tracked and translated, to
# one address with 55,000 ports for a destination.
module "loadgen" {
  source = "../modules/loadgen"

  cluster_name   = var.cluster_name
  vpc_id         = module.network.vpc_id
  subnet_ids     = local.public_subnet_ids
  host           = local.host
  instance_type  = data.aws_ec2_instance_type.of_role["loadgen"].instance_type
  volume_size_gb = var.loadgen.volume_size_gb
  spot           = var.loadgen.spot
  host_count     = var.loadgen.count

  subnet_cidr_blocks = module.network.public_subnet_cidr_blocks
  addresses_per_host = var.loadgen.addresses
}
