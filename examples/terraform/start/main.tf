# Starts the tasks that the gate lets start. A configuration of its own: it is applied after the
# gate, and never together with the one that creates the tasks.
#
# The arguments are those of the provider's documentation of huaweicloud_drs_start_job. A resource
# of this kind acts once: to destroy it stops no task.
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

variable "ready_tasks" {
  description = "The IDs of the tasks that may start: PRECHECK_GATE_READY_TASKS of the gate."
  type        = set(string)
}

provider "huaweicloud" {
  region = var.region
}

resource "huaweicloud_drs_start_job" "wave" {
  for_each = var.ready_tasks

  job_id = each.value
}
