output "usd_per_hour" {
  description = "The sum, in USD an hour, rounded to a tenth of a cent, without traffic and tax; null if a price is not known."
  value       = length(local.unknown) > 0 ? null : tonumber(format("%.3f", sum(local.breakdown[*].usd_per_hour)))
}

output "breakdown" {
  description = "The parts of the sum: what, how many, and USD an hour for one and for all (null: not known)."
  value       = local.breakdown
}

output "unknown" {
  description = "What has no price in the table, if anything."
  value       = local.unknown
}

output "prices_as_of" {
  description = "When the prices were taken (year and month), and of which region they are."
  value       = "${local.prices_as_of}, ${local.prices_region}"
}
