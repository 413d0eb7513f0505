# Starts the tasks that may start. This is a separate configuration: apply it after the gate, and never
# together with the configuration that creates the tasks.
#
# The arguments are from the provider's documentation of huaweicloud_drs_start_job. The resource acts
# once: destroying it stops no task.
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
  description = "IDs of the tasks that may start: PRECHECK_GATE_READY_TASKS of the gate."
  type        = set(string)
}

provider "huaweicloud" {
  region = var.region
}

resource "huaweicloud_drs_start_job" "wave" {
  for_each = var.ready_tasks

  job_id = each.value
}
