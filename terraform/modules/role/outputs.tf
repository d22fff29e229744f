output "identity" {
  description = "What every host of the role carries, for the modules that launch hosts."
  value = {
    name                  = local.name
    tags                  = local.tags
    security_group_id     = aws_security_group.main.id
    instance_profile_name = aws_iam_instance_profile.main.name
  }

  # A host must not boot before it has its rights.
  depends_on = [aws_iam_role_policy.main]
}
