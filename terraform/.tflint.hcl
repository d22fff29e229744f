# The rules for the language, which the linter brings with it; those for AWS are a plug-in to be downloaded, and `terraform
# validate`, the provider's schema and the variables' own rules say most of what it would.
plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The files are named by concern, and a module has no file that would be empty.
rule "terraform_standard_module_structure" {
  enabled = false
}
