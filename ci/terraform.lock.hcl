# The provider's hashes: linux_amd64 (pipelines), darwin_arm64. Another platform, or another version of the provider:
#   terraform -chdir=cdktf.out/stacks/<stack> providers lock -platform=linux_amd64 -platform=darwin_arm64 -platform=…
# and the file .terraform.lock.hcl that it writes is put here.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "5.100.0"
  hashes = [
    "h1:Ijt7pOlB7Tr7maGQIqtsLFbl7pSMIj06TVdkoSBcYOw=",
    "h1:edXOJWE4ORX8Fm+dpVpICzMZJat4AX0VRCAy/xkcOc0=",
  ]
}
