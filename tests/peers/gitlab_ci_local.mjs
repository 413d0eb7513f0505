// Starts gitlab-ci-local:  node gitlab_ci_local.mjs PACKAGE_FOLDER ARGUMENT...
//
// gitlab-ci-local (4.60.0 as well as 4.75.1) takes a job with allow_failure:exit_codes for one that
// may fail with any code when it decides what comes next. GitLab does not: only the codes listed
// are allowed. The two questions are answered here as GitLab answers them; all else is the tool's.
import { pathToFileURL } from "node:url";

const folder = process.argv.splice(2, 1)[0];
const load = (path) => import(pathToFileURL(`${folder}/src/${path}`).href);

function failed(job) {
  const code = job.preScriptsExitCode ?? 0;
  const allowed = job.allowFailure;
  if (code === 0 || allowed === true) return false;
  return !(allowed && [allowed.exit_codes].flat().includes(code));
}

const { Executor } = await load("executor.js");
Executor.isPastFailed = (jobs) => jobs.some(failed);
Executor.getFailed = (jobs) => jobs.filter((job) => job.finished && failed(job));
await load("index.js");
