// Checks a WorkflowTemplate by Argo's own types:  node argo.mjs NODE_MODULES FILE
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, file] = process.argv.slice(2);
const yaml = createRequire(`${modules}/`)("js-yaml");
const types = `${modules}/@kubernetes-models/argo-workflows/argoproj.io/v1alpha1/index.js`;
const { WorkflowTemplate } = await import(pathToFileURL(types).href);
new WorkflowTemplate(yaml.load(readFileSync(file, "utf8"))).validate();
