/*
 * precheckGate(...): the pre-check gate as one step of a pipeline. See precheckGate.txt.
 *
 * Every value reaches the program through the environment; no value becomes part of a command.
 */

/** Runs the gate, publishes its reports, and says to Jenkins what the verdict means. */
Map call(Map options = [:]) {
    Map settings = [version: '0.1.0', credentialsId: '', credentials: [], archive: true] + options
    List<String> environment = environmentOf(settings)

    // A workspace outlives a build: no report of an earlier one may stay.
    sh(label: 'Forget earlier reports', script: 'rm -f precheck-gate-*.xml precheck-gate-*.json ' +
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
                    label: 'Ask for the pre-checks and judge them',
                    script: "${program} run",
                    returnStatus: true
                )
            }
        }
    } finally {
        // Also when the build is aborted: the gate has then written what it knows. The exit code
        // decides, not the failures in the file; where there is no file, the log says why.
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

/** Returns the settings as variables; refuses what the gate does not know. */
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
            error("precheckGate has no option '${name}'; it knows ${(known + own).join(', ')}.")
        }
        // Jenkins drops a variable that is empty, and the gate would judge without the setting.
        if (!textOf(settings[name]).trim()) {
            error("precheckGate: the option '${name}' is empty: give it a value, or leave it out.")
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

/** Returns a value as the text of a variable; a list as its parts with blanks between. */
String textOf(Object value) {
    if (value == null) {
        return ''
    }
    return value instanceof List ? value.join(' ') : value.toString()
}

/** Returns what withCredentials binds: a token by its ID, and whatever else was given. */
List bindingsOf(Map settings) {
    List bindings = []
    bindings.addAll(settings.credentials)
    if (settings.credentialsId) {
        bindings.add(string(credentialsId: settings.credentialsId, variable: 'PRECHECK_GATE_TOKEN'))
    }
    return bindings
}

/** Returns the gate's exit code and, where it could say more, the verdict and the tasks. */
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

/** Returns the IDs in a JSON array of them; an ID has letters, digits and hyphens only. */
List<String> idsIn(String array) {
    List<String> ids = []
    for (String id in array.replaceAll('[^0-9A-Za-z,-]', '').split(',')) {
        if (id) {
            ids.add(id)
        }
    }
    return ids
}

/** Makes the build unstable, failed or aborted, as the exit code says. */
void conclude(Map result) {
    int code = result.exitCode
    if (code == 0 && result.verdict in ['passed', 'passed_with_warnings']) {
        return
    }
    if (code == 10) {
        unstable("The pre-checks passed with ${result.warnings} warnings.")
    } else if (code == 0 && result.verdict == 'blocked') {
        unstable('The pre-checks are blocked; the gate is advisory and lets the build go on.')
    } else if (code == 130 || code == 143) {
        currentBuild.result = 'ABORTED'
        error('The gate was interrupted; its reports say what was known then.')
    } else if (code == 1) {
        error("The gate is closed: ${result.blockedTasks.size()} tasks must not start.")
    } else {
        error("The gate is closed: precheck-gate ended with exit code ${code}.")
    }
}
