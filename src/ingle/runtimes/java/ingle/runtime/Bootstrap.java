package ingle.runtime;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The Java runtime: loads the handler, then serves invocations from the Runtime API until it is stopped.
 *
 * Runs inside an execution environment as the function's user. Needs nothing but Java 8. AWS's interfaces are on this
 * class loader, the parent of the function's: a package that brings them too shares these, so that they exist once.
 * Behaviour that handlers can see follows AWS's documentation of the Java runtime.
 */
public final class Bootstrap {
    private static final String LAYER_JARS = "/opt/java/lib";
    private static final String TRACE_PROPERTY = "com.amazonaws.xray.traceHeader";

    private final Map<String, String> variables;
    private final Logger logger;
    private final RuntimeApi api;

    Bootstrap(Map<String, String> variables, LogSink sink) throws IOException {
        this.variables = variables;
        this.logger = new Logger(sink, variables);
        this.api = new RuntimeApi(variables.get("AWS_LAMBDA_RUNTIME_API"));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 1 && arguments[0].equals("--self-test")) {
            System.exit(SelfTest.run());
        }
        Map<String, String> variables = new HashMap<>(System.getenv());
        Bootstrap bootstrap = new Bootstrap(variables, LogSink.open(variables.get("_LAMBDA_TELEMETRY_LOG_FD")));
        int status = 1;
        try {
            status = bootstrap.serve();
        } catch (IOException lost) {
            System.err.println(lost.getMessage());
        }
        System.exit(status);
    }

    /** Returns, with an exit status, only when the process has to end. */
    int serve() throws Exception {
        logger.install();
        String setting = variables.get("_HANDLER");
        ClassLoader loader = functionLoader();
        Thread.currentThread().setContextClassLoader(loader);
        Handler handler;
        try {
            handler = new HandlerLoader(loader, Serializer.of(loader)).load(setting == null ? "" : setting);
        } catch (Fault fault) {
            if (fault.fatal) {
                logger.error(fault.report());
                api.send(api.post(RuntimeApi.INIT_ERROR, json(fault.document()), fault.type));
                return 1;
            }
            handler = (event, context) -> {
                throw fault;
            };
        }
        byte[] answer = null;
        while (true) {
            RuntimeApi.Answer invocation = api.next(answer);
            String requestId = invocation.headers.get("lambda-runtime-aws-request-id");
            begin(requestId, invocation.headers);
            try {
                InvocationContext context = new InvocationContext(invocation.headers, variables, logger);
                answer = api.post(RuntimeApi.result(requestId), handler.handle(invocation.body, context), null);
            } catch (Fault fault) {
                logger.error(fault.report());
                answer = api.post(RuntimeApi.error(requestId), json(fault.document()), fault.type);
            } catch (Throwable problem) {
                Fault.withoutOwnFrames(problem);
                logger.error(Fault.report(problem));
                answer = api.post(RuntimeApi.error(requestId), json(Fault.document(problem)), problem.getClass().getName());
                if (problem instanceof VirtualMachineError) {
                    // Out of memory or of stack: whatever was under way in this process may be half done.
                    api.send(answer);
                    return 1;
                }
            }
        }
    }

    private void begin(String requestId, Map<String, String> headers) {
        logger.begin(requestId, headers.get("lambda-runtime-aws-tenant-id"));
        String trace = headers.get("lambda-runtime-trace-id");
        if (trace == null) {
            System.clearProperty(TRACE_PROPERTY);
        } else {
            System.setProperty(TRACE_PROPERTY, trace);
        }
    }

    private static byte[] json(Map<String, Object> document) {
        return JsonWriter.write(document).getBytes(StandardCharsets.UTF_8);
    }

    /** Classes of the package itself, then the JARs in its lib directory, then those of layers, each sorted by name. */
    private ClassLoader functionLoader() throws MalformedURLException {
        String root = variables.getOrDefault("LAMBDA_TASK_ROOT", "/var/task");
        List<URL> places = new ArrayList<>();
        places.add(new File(root + "/").toURI().toURL());
        addJars(places, new File(root, "lib"));
        addJars(places, new File(LAYER_JARS));
        return new URLClassLoader(places.toArray(new URL[0]), Bootstrap.class.getClassLoader());
    }

    private static void addJars(List<URL> places, File directory) throws MalformedURLException {
        File[] files = directory.listFiles((parent, name) -> name.endsWith(".jar"));
        if (files != null) {
            Arrays.sort(files);
            for (File file : files) {
                places.add(file.toURI().toURL());
            }
        }
    }
}
