# A real but cheap cluster: some ten thousand connections, for about four dollars a day.
#
# AWS list prices, us-east-1, Linux, on demand, as published in 2025; check them before you rely on them.
#
#   what                                        price             a day
#   nodes        2 x t4g.small                  0.0168 USD/h      0.81
#   edges        2 x t4g.micro                  0.0084 USD/h      0.40
#   Redis        1 x t4g.micro                  0.0084 USD/h      0.20
#   monitoring   1 x t4g.small                  0.0168 USD/h      0.40
#   load gen.    1 x t4g.small                  0.0168 USD/h      0.40
#   balancer     1 NLB                          0.0225 USD/h      0.54
#                its capacity units, 1 at most  0.006  USD/h      0.14
#   addresses    7 hosts + 2 of the NLB         0.005  USD/h      1.08
#   disks        6 x 10 GB + 20 GB gp3          0.08   USD/GB-mo  0.21
#                                                        sum      4.19
#
# Traffic to the internet (0.09 USD/GB after the first 100 GB a month) and between zones (0.01 USD/GB each way) come on
# top. T4g hosts that run above their baseline for long cost 0.04 USD per vCPU-hour more.
# Without the load generator (count = 0) 3.64; without the balancer too, 2.72.
#
# No NAT gateway: it alone would cost 1.08 a day, and 0.045 USD/GB. The hosts of the private subnets have public
# addresses instead (4 x 0.12 = 0.48 a day) to fetch packages with; the network ACL lets nobody in but admin_cidrs.

cluster_name = "small"
region       = "us-east-1"
vpc_cidr     = "10.81.0.0/16"
architecture = "arm64"
egress       = "public_ip"

# Yours to give: -var 'admin_cidrs=["203.0.113.7/32"]' -var "ssh_public_key=$(cat ~/.ssh/id_ed25519.pub)"

node       = { instance_type = "t4g.small", count = 2, max = 4 }
edge       = { instance_type = "t4g.micro", count = 2 }
redis      = { instance_type = "t4g.micro" }
monitoring = { instance_type = "t4g.small" }
loadgen    = { instance_type = "t4g.small", count = 1 }
