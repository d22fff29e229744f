terraform {
  required_version = "~> 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Where the state lies is given at init: -backend-config=path=FILE. For a state that several people
  # share, see backend.tf.example.
  backend "local" {}
}
