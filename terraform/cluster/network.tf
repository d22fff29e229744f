module "network" {
  source = "../modules/network"

  cluster_name            = var.cluster_name
  vpc_cidr                = var.vpc_cidr
  availability_zone_count = var.availability_zone_count
  egress                  = var.egress
  admin_cidrs             = var.admin_cidrs
  vpc_endpoints           = var.vpc_endpoints
}
