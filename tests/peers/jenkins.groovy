// Plays Jenkins for declarative pipelines:  groovy jenkins.groovy BUILDS.json
//
// BUILDS.json is a list of {pipeline, library, workspace, env, secret, params, abort}; prints a
// list of {result, events, message}. The steps do what their plugins do, as far as the pipelines
// here use them: sh really runs, with the variables that are bound at that place.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import groovy.transform.CompileStatic

class AbortException extends Exception { AbortException(String message) { super(message) } }

class FlowInterruptedException extends Exception { }

@CompileStatic
class Shell {
    /** Runs a script; with abort, ends it with SIGTERM as soon as it tells of progress. */
    static Object run(String script, Map<String, String> env, File folder, boolean abort) {
        ProcessBuilder builder = new ProcessBuilder(['sh', '-c', script])
        builder.environment().clear()
        builder.environment().putAll(env)
        Process process = builder.directory(folder).redirectErrorStream(true).start()
        StringBuilder log = new StringBuilder()
        List<ProcessHandle> tree = []
        process.inputStream.eachLine('UTF-8') { String line ->
            log.append(line).append('\n')
            if (abort && !tree && line.contains('%')) {
                // As Jenkins does: everything that the build has started.
                tree.add(process.toHandle())
                process.descendants().iterator().each { ProcessHandle one -> tree.add(one) }
                tree.each { ProcessHandle one -> one.destroy() }
            }
        }
        tree.each { ProcessHandle one -> one.onExit().get() }
        return [process.waitFor(), log.toString()]
    }
}

class Environment {
    Map values = [:]
    void setProperty(String name, Object value) { values[name] = value.toString() }
    Object getProperty(String name) {
        if (name == 'values') { return this.@values }
        throw new MissingPropertyException(name, Environment)
    }
}

class Build {
    static final List ORDER = [null, 'UNSTABLE', 'FAILURE', 'ABORTED']
    Map settings
    List events = []
    List scopes = []
    String result
    String message = ''
    Map stage

    void setWorse(String other) {
        if (ORDER.indexOf(other) > ORDER.indexOf(result)) { result = other }
    }

    void during(Map variables, Closure body) {
        scopes.add(variables)
        try { body() } finally { scopes.remove(scopes.size() - 1) }
    }

    Object sh(Object given) {
        Map map = given instanceof Map ? given : [script: given]
        Map env = [:] + settings.env
        scopes.each { env.putAll(it) }
        boolean abort = settings.abort && map.script.endsWith(' run')
        def (int code, String log) = Shell.run(map.script, env, new File(settings.workspace), abort)
        List bound = scopes.any { it.containsKey('PRECHECK_GATE_TOKEN') } ? ['PRECHECK_GATE_TOKEN'] : []
        events.add([step: 'sh', script: map.script, code: code, log: log, bound: bound])
        if (abort) { throw new FlowInterruptedException() }
        if (map.returnStatus) { return code }
        if (code != 0) { throw new AbortException("script returned exit code ${code}") }
        return null
    }

    List matching(String pattern) {
        def matcher = java.nio.file.FileSystems.default.getPathMatcher("glob:${pattern}")
        return new File(settings.workspace).listFiles().collect { it.name }
            .findAll { matcher.matches(java.nio.file.Paths.get(it)) }.sort()
    }

    void junit(Map map) {
        List files = matching(map.testResults)
        events.add([step: 'junit', files: files])
        if (!files && !map.allowEmptyResults) { throw new AbortException('No test report files were found') }
        boolean failures = files.any { new File(settings.workspace, it).text.contains('<failure') }
        if (failures && !map.skipMarkingBuildUnstable) { setWorse('UNSTABLE') }
    }

    void archiveArtifacts(Map map) {
        List files = matching(map.artifacts)
        events.add([step: 'archive', files: files])
        if (!files && !map.allowEmptyArchive) { throw new AbortException('No artifacts found') }
    }

    Object runStage(String name, Closure body) {
        Map outer = stage
        stage = [environment: [:]]
        body()
        Map mine = stage
        stage = outer
        events.add([step: 'stage', name: name])
        during(mine.environment) {
            try { mine.steps() } finally { if (mine.always) { mine.always() } }
        }
        return null
    }

    Map steps() {
        def build = this
        def currentBuild = new Expando()
        currentBuild.metaClass.setProperty = { String n, v -> build.setWorse(v) }
        currentBuild.metaClass.getProperty = { String n -> build.result }
        return [
            any: 'any', params: settings.params, currentBuild: currentBuild,
            pipeline: { it() }, agent: { }, options: { it() }, parameters: { it() },
            disableConcurrentBuilds: { }, timeout: { build.events.add([step: 'timeout', time: it]) },
            stages: { it() }, stage: { String n, Closure c -> build.runStage(n, c) },
            steps: { build.stage.steps = it }, script: { it() },
            post: { it() }, always: { build.stage.always = it },
            environment: { Closure c ->
                def collected = new Environment()
                c.delegate = collected
                c.resolveStrategy = Closure.DELEGATE_FIRST
                c()
                build.stage.environment = collected.values
            },
            string: { it },
            withEnv: { List l, Closure c ->
                build.during(l.collectEntries { [it.split('=', 2)[0], it.split('=', 2)[1]] }, c)
            },
            withCredentials: { List l, Closure c ->
                build.during(l.collectEntries { [it.variable, build.settings.secret] }, c)
            },
            sh: { build.sh(it) },
            junit: { build.junit(it) }, archiveArtifacts: { build.archiveArtifacts(it) },
            unstable: { build.setWorse('UNSTABLE'); build.message = it.toString() },
            error: { throw new AbortException(it.toString()) },
            echo: { build.events.add([step: 'echo', text: it.toString()]) },
            fileExists: { new File(build.settings.workspace, it).exists() },
            readFile: { new File(build.settings.workspace, it).getText('UTF-8') },
        ]
    }

    Map run() {
        Binding binding = new Binding(steps())
        GroovyShell shell = new GroovyShell(Build.classLoader, binding)
        try {
            if (settings.library) {
                new File(settings.library, 'vars').eachFileMatch(~/.*\.groovy/) { File file ->
                    Script step = shell.parse(file)
                    step.binding = binding
                    binding.setVariable(file.name - '.groovy', { Object... a ->
                        def given = step.call(a ? a[0] : [:])
                        build().events.add([step: 'returned', value: given])
                        return given
                    })
                }
            }
            String text = settings.text ?: new File(settings.pipeline).text
            shell.evaluate(text.replaceAll(/@Library\([^)]*\) _/, ''), 'Jenkinsfile.groovy')
        } catch (AbortException problem) {
            setWorse('FAILURE')
            message = problem.message
        } catch (FlowInterruptedException problem) {
            setWorse('ABORTED')
        }
        return [result: result ?: 'SUCCESS', events: events, message: message]
    }

    Build build() { return this }
}

List builds = new JsonSlurper().parse(new File(args[0])).collect { new Build(settings: it) }
def pool = java.util.concurrent.Executors.newFixedThreadPool(4)
List running = builds.collect { build -> pool.submit({ build.run() } as java.util.concurrent.Callable) }
println JsonOutput.toJson(running.collect { it.get() })
pool.shutdown()
