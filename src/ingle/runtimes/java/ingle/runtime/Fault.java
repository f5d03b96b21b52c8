package ingle.runtime;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The function as it was deployed cannot be called: no such class, no fitting method, an initialiser that fails.
 *
 * What is wrong with names is told to every invocation, as on AWS; only a {@link #fatal} fault, raised by the
 * function's own code, fails the initialisation.
 */
final class Fault extends Exception {
    private static final long serialVersionUID = 1L;
    private static final String OWN_PACKAGE = "ingle.runtime.";

    /** The class of what was raised, null if nothing was. */
    final String type;
    final String trace;
    final boolean fatal;

    Fault(String message) {
        this(message, null, null, false);
    }

    private Fault(String message, String type, String trace, boolean fatal) {
        super(message);
        this.type = type;
        this.trace = trace;
        this.fatal = fatal;
    }

    static Fault classNotFound(Throwable problem, String name) {
        return new Fault("Class not found: " + name, problem.getClass().getName(), trace(problem), false);
    }

    static Fault loading(Throwable problem, String name, boolean fatal) {
        String reason = problem.getMessage() == null ? "" : ": " + problem.getMessage();
        return new Fault("Error loading class " + name + reason, problem.getClass().getName(), trace(problem), fatal);
    }

    /** The function's constructor raised {@code problem}. */
    static Fault constructing(Throwable problem) {
        return new Fault(message(problem), problem.getClass().getName(), trace(problem), true);
    }

    /** The log event that tells of it. */
    String report() {
        return type == null ? getMessage() + "\n" : getMessage() + ": " + type + "\n" + trace + "\n";
    }

    Map<String, Object> document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", getMessage());
        if (type != null) {
            document.put("errorType", type);
        }
        return document;
    }

    // --- errors that handlers raise -------------------------------------------------------------------------------

    static String report(Throwable problem) {
        return message(problem) + ": " + problem.getClass().getName() + "\n" + trace(problem) + "\n";
    }

    /** The error document of an exception and of its causes. */
    static Map<String, Object> document(Throwable problem) {
        return document(problem, 0);
    }

    private static Map<String, Object> document(Throwable problem, int depth) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", message(problem));
        document.put("errorType", problem.getClass().getName());
        StackTraceElement[] frames = problem.getStackTrace();
        String[] lines = new String[frames.length];
        for (int index = 0; index < frames.length; index++) {
            lines[index] = frames[index].toString();
        }
        document.put("stackTrace", java.util.Arrays.asList(lines));
        if (problem.getCause() != null && depth < 100) {
            document.put("cause", document(problem.getCause(), depth + 1));
        }
        return document;
    }

    private static String message(Throwable problem) {
        String message = problem.getLocalizedMessage();
        return message == null ? problem.getClass().getName() : message;
    }

    private static String trace(Throwable problem) {
        StringWriter text = new StringWriter();
        withoutOwnFrames(problem).printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }

    /** {@code problem} with its trace, and those of its causes, ending where the function was called. */
    static <T extends Throwable> T withoutOwnFrames(T problem) {
        int depth = 0;
        for (Throwable one = problem; one != null && depth < 100; one = one.getCause(), depth++) {
            StackTraceElement[] frames = one.getStackTrace();
            for (int index = 0; index < frames.length; index++) {
                if (frames[index].getClassName().startsWith(OWN_PACKAGE)) {
                    one.setStackTrace(java.util.Arrays.copyOf(frames, index));
                    break;
                }
            }
        }
        return problem;
    }
}
