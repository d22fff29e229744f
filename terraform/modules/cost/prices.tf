# AWS's list prices in USD: eu-central-1 (Frankfurt), Linux, on demand, shared tenancy, without tax. Source: the pages
# https://aws.amazon.com/ec2/pricing/on-demand/, …/ebs/pricing/, …/elasticloadbalancing/pricing/ and …/vpc/pricing/, as
# published in 2025. Nothing keeps this table true: check it there before you rely on it, and then change the date.
#
# What is not here has no price: the sum is then null, and the output `unknown` says why. A wrong sum would be worse.
locals {
  prices_region = "eu-central-1"
  prices_as_of  = "2025-06"

  instance_usd_per_hour = {
    "t3.micro"  = 0.0120
    "t3.small"  = 0.0240
    "t3.medium" = 0.0480
    "t3.large"  = 0.0960

    "t4g.micro"  = 0.0096
    "t4g.small"  = 0.0192
    "t4g.medium" = 0.0384
    "t4g.large"  = 0.0768

    "c6g.large"   = 0.0776
    "c6g.xlarge"  = 0.1552
    "c6g.2xlarge" = 0.3104
    "c6g.4xlarge" = 0.6208

    "m6g.large"   = 0.0920
    "m6g.xlarge"  = 0.1840
    "m6g.2xlarge" = 0.3680

    "c6i.large"   = 0.0970
    "c6i.xlarge"  = 0.1940
    "c6i.2xlarge" = 0.3880
    "c6i.4xlarge" = 0.7760

    "m6i.large"   = 0.1150
    "m6i.xlarge"  = 0.2300
    "m6i.2xlarge" = 0.4600
  }

  # Disks are sold by the month, which AWS counts as 730 hours.
  gp3_usd_per_gb_hour             = 0.0952 / 730
  public_address_usd_per_hour     = 0.005
  nat_gateway_usd_per_hour        = 0.052
  network_balancer_usd_per_hour   = 0.027
  balancer_unit_usd_per_hour      = 0.006
  balancer_unit_connections       = 100000 # that one capacity unit (NLCU) holds open, of TCP
  interface_endpoint_usd_per_hour = 0.012  # in one zone
}
