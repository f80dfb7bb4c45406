# Hashes of the provider for linux_amd64 (CI) and darwin_arm64. For another platform or provider version, run:
#   terraform -chdir=cdktf.out/stacks/<stack> providers lock -platform=linux_amd64 -platform=darwin_arm64 -platform=…
# and copy the .terraform.lock.hcl that it writes to this file.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = [
    "h1:Ijt7pOlB7Tr7maGQIqtsLFbl7pSMIj06TVdkoSBcYOw=",
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
  ]
}
