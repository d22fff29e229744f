mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  cluster_name    = "test"
  vpc_id          = "vpc-test"
  role            = "node"
  description     = "something"
  session_manager = true
}

run "identity" {
  command = plan

  assert {
    condition     = output.identity.name == "test-node" && output.identity.tags == { Name = "test-node", Role = "node" }
    error_message = "the role's hosts are not named and tagged by it"
  }

  assert {
    condition     = alltrue([for tags in [aws_security_group.main.tags, aws_iam_role.main.tags, aws_iam_instance_profile.main.tags] : tags == tomap({ Name = "test-node", Role = "node" })])
    error_message = "something of the role lacks its tags"
  }
}

run "session_manager" {
  command = plan

  assert {
    condition     = keys(aws_iam_role_policy.main) == ["session-manager"]
    error_message = "the hosts may do something else than be reached by Session Manager"
  }

  assert {
    condition     = alltrue([for a in data.aws_iam_policy_document.session_manager.statement[0].actions : !strcontains(a, "*") && !strcontains(a, "Get")])
    error_message = "the hosts may read or do more than the agent needs"
  }
}

run "no_session_manager" {
  command = plan

  variables {
    session_manager = false
    policies        = { discovery = "{}" }
  }

  assert {
    condition     = keys(aws_iam_role_policy.main) == ["discovery"]
    error_message = "not the policies that were given, and no others"
  }
}

run "unknown_role" {
  command = plan

  variables {
    role = "worker"
  }

  expect_failures = [var.role]
}
