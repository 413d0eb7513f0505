/*
 * precheckGate(...) runs the pre-check gate as a pipeline step. See precheckGate.txt.
 *
 * All values are passed to the program through the environment. No value becomes part of a command.
 */

/** Runs the gate, publishes its reports, and sets the result of the build by the verdict. */
Map call(Map options = [:]) {
    Map settings = [version: '0.1.0', credentialsId: '', credentials: [], archive: true] + options
    List<String> environment = environmentOf(settings)

    // The workspace is reused: remove the reports of earlier builds.
    sh(label: 'Remove earlier reports', script: 'rm -f precheck-gate-*.xml precheck-gate-*.json ' +
        'precheck-gate-*.html precheck-gate.env')
    String program = 'precheck-gate'
    if (settings.version) {
        program = '.precheck-gate/bin/precheck-gate'
        withEnv(["PRECHECK_GATE_VERSION=${settings.version}"]) {
            sh(label: 'Install precheck-gate', script: 'python3 -m venv .precheck-gate && ' +
                '.precheck-gate/bin/pip install --quiet "precheck-gate==$PRECHECK_GATE_VERSION"')
        }
    }

    int code
    try {
        withEnv(environment) {
            withCredentials(bindingsOf(settings)) {
                code = sh(
                    label: 'Run the pre-check gate',
                    script: "${program} run",
                    returnStatus: true
                )
            }
        }
    } finally {
        // Also after an abort: the gate has written the reports by then. The exit code decides, not
        // the failures in the file. If there is no file, the log says why.
        junit(
            testResults: 'precheck-gate-junit*.xml',
            allowEmptyResults: true,
            skipMarkingBuildUnstable: true
        )
        if (settings.archive) {
            archiveArtifacts(artifacts: 'precheck-gate-*', allowEmptyArchive: true)
        }
    }
    Map result = outcome(code)
    conclude(result)
    return result
}

/** Returns the settings as environment variables. Refuses unknown options. */
List<String> environmentOf(Map settings) {
    List<String> known = [
        'tasks', 'tasksFrom', 'endpoint', 'region', 'projectId', 'auth', 'tokenFile',
        'profileName', 'idpId', 'idTokenVariable', 'idTokenFile', 'oidcAudience', 'iamEndpoint',
        'caBundle', 'debugHttp', 'timeout', 'interval', 'grace', 'maxStaleness', 'language',
        'policy', 'profile', 'allowOutside', 'now', 'strictWaivers', 'baseline', 'redact',
        'report', 'maxBytes', 'junitWarnings', 'advisory', 'summary', 'quiet', 'verbose', 'saveAnswers',
        'select', 'expectTasks', 'noDetails', 'startPrecheck', 'mode', 'until', 'restartEvery',
        'api', 'queryId', 'maxRps', 'maxRetries',
    ]
    List<String> own = ['version', 'credentialsId', 'credentials', 'archive']
    List<String> environment = []
    for (String name in settings.keySet()) {
        if (name in own) {
            continue
        }
        if (!(name in known)) {
            error("precheckGate has no option '${name}'. Options: ${(known + own).join(', ')}.")
        }
        // Jenkins drops an empty variable, and the gate would run without the setting.
        if (!textOf(settings[name]).trim()) {
            error("precheckGate: the option '${name}' is empty. Set a value, or remove the option.")
        }
        if (name != 'report') {
            String variable = name.replaceAll('([A-Z])', '_$1').toUpperCase()
            environment.add('PRECHECK_GATE_' + variable + '=' + textOf(settings[name]))
        }
    }
    List<String> reports = [
        'junit=precheck-gate-junit.xml', 'json=precheck-gate-report.json',
        'html=precheck-gate-report.html', 'dotenv=precheck-gate.env', textOf(settings.report),
    ]
    environment.add('PRECHECK_GATE_REPORT=' + reports.join(' '))
    environment.add('PRECHECK_GATE_WARN_EXIT_CODE=10')
    return environment
}

/** Returns a value as the text of a variable. The parts of a list are separated by spaces. */
String textOf(Object value) {
    if (value == null) {
        return ''
    }
    return value instanceof List ? value.join(' ') : value.toString()
}

/** Returns the bindings for withCredentials: the token by its ID, and the given bindings. */
List bindingsOf(Map settings) {
    List bindings = []
    bindings.addAll(settings.credentials)
    if (settings.credentialsId) {
        bindings.add(string(credentialsId: settings.credentialsId, variable: 'PRECHECK_GATE_TOKEN'))
    }
    return bindings
}

/** Returns the exit code of the gate and, if it wrote them, the verdict and the tasks. */
Map outcome(int code) {
    Map result = [exitCode: code, verdict: 'error', readyTasks: [], blockedTasks: [], warnings: 0]
    if (!fileExists('precheck-gate.env')) {
        return result
    }
    for (String line in readFile('precheck-gate.env').split('\n')) {
        int equals = line.indexOf('=')
        String name = equals < 0 ? '' : line.substring(0, equals)
        String value = line.substring(equals + 1).trim()
        if (name == 'PRECHECK_GATE_VERDICT') {
            result.verdict = value
        } else if (name == 'PRECHECK_GATE_READY_TASKS') {
            result.readyTasks = idsIn(value)
        } else if (name == 'PRECHECK_GATE_BLOCKED_TASKS') {
            result.blockedTasks = idsIn(value)
        } else if (name == 'PRECHECK_GATE_WARNINGS') {
            result.warnings = value as int
        }
    }
    return result
}

/** Returns the IDs in a JSON array. An ID has only letters, digits and hyphens. */
List<String> idsIn(String array) {
    List<String> ids = []
    for (String id in array.replaceAll('[^0-9A-Za-z,-]', '').split(',')) {
        if (id) {
            ids.add(id)
        }
    }
    return ids
}

/** Sets the build to unstable, failed or aborted by the exit code. */
void conclude(Map result) {
    int code = result.exitCode
    if (code == 0 && result.verdict in ['passed', 'passed_with_warnings']) {
        return
    }
    if (code == 10) {
        unstable("The pre-checks passed with ${result.warnings} warnings.")
    } else if (code == 0 && result.verdict == 'blocked') {
        unstable('The pre-checks are blocked. The gate is advisory, so the build continues.')
    } else if (code == 130 || code == 143) {
        currentBuild.result = 'ABORTED'
        error('The gate was interrupted. Its reports contain what was known by then.')
    } else if (code == 1) {
        error("The migration must not start: ${result.blockedTasks.size()} tasks are blocked.")
    } else {
        error("The migration must not start: precheck-gate exited with code ${code}.")
    }
}
