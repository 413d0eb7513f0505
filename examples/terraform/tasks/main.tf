# Creates and pre-checks the tasks of a wave, but does not start them.
#
# The arguments are from the provider's documentation of huaweicloud_drs_job, except for is_start_job
# and is_pre_check (marked below).
terraform {
  required_version = ">= 1.1.0"
  required_providers {
    huaweicloud = {
      source  = "huaweicloud/huaweicloud"
      version = ">= 1.98.0"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-west-101"
}

variable "databases" {
  description = "Databases to migrate, by the name of the task."
  type = map(object({
    source_ip   = string
    source_user = string
    target_id   = string
    target_ip   = string
    subnet_id   = string
  }))
}

variable "source_passwords" {
  type      = map(string)
  sensitive = true
}

variable "target_password" {
  type      = string
  sensitive = true
}

provider "huaweicloud" {
  region = var.region
}

resource "huaweicloud_drs_job" "wave" {
  for_each = var.databases

  name           = each.key
  type           = "migration"
  engine_type    = "mysql"
  direction      = "up"
  net_type       = "eip"
  migration_type = "FULL_INCR_TRANS"

  # UNVERIFIED: both arguments are in the provider's two-way example since 1.98.0. Their documentation
  # was not available when this file was written. Read it before you rely on them.
  is_start_job = false
  is_pre_check = true

  source_db {
    engine_type = "mysql"
    ip          = each.value.source_ip
    port        = 3306
    user        = each.value.source_user
    password    = var.source_passwords[each.key]
  }

  destination_db {
    engine_type = "mysql"
    region      = var.region
    instance_id = each.value.target_id
    subnet_id   = each.value.subnet_id
    ip          = each.value.target_ip
    port        = 3306
    user        = "root"
    password    = var.target_password
  }

  lifecycle {
    ignore_changes = [source_db[0].password, destination_db[0].password]
  }
}

# Input of the gate: precheck-gate run --tasks-from outputs.json
output "drs_task_ids" {
  description = "IDs of the tasks, by name."
  value       = { for name, job in huaweicloud_drs_job.wave : name => job.id }
}

output "region" {
  value = var.region
}
