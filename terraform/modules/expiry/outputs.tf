output "calls" {
  description = "What will be called, and when (RFC 3339)."
  value       = { for name, c in local.calls : name => { at = c.at, call = "${c.service}:${c.action}" } }
}
