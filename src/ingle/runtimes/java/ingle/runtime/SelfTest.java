package ingle.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Serves two invocations of a handler of its own, from a Runtime API of its own: whether this runtime works here.
 *
 * Run when the runtime is installed, also so that the virtual machine can keep the classes that every function needs.
 */
final class SelfTest implements AutoCloseable {
    private static final String EVENT = "{\"text\":\"\\u00fc\",\"numbers\":[1,2.5],\"fail\":%s}";
    private static final String RESULT = "{\"text\":\"\u00fc\",\"numbers\":[1,2.5],\"fail\":false}";

    /** A bean both ways. */
    public static final class Sample {
        private String text;
        private List<Object> numbers;
        private boolean fail;

        public String getText() {
            return text;
        }

        public void setText(String text) {
            this.text = text;
        }

        public List<Object> getNumbers() {
            return numbers;
        }

        public void setNumbers(List<Object> numbers) {
            this.numbers = numbers;
        }

        public boolean isFail() {
            return fail;
        }

        public void setFail(boolean fail) {
            this.fail = fail;
        }
    }

    /** The handler. */
    public static final class Sampler implements RequestHandler<Sample, Map<String, Object>> {
        @Override
        public Map<String, Object> handleRequest(Sample event, Context context) {
            if (event.isFail() || context.getRemainingTimeInMillis() < 0) {
                throw new IllegalStateException("as asked");
            }
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("text", event.getText());
            result.put("numbers", event.getNumbers());
            result.put("fail", event.isFail());
            return Collections.unmodifiableMap(result);
        }
    }

    private final ServerSocket listener;
    private String result = "";
    private String error = "";

    private SelfTest() throws IOException {
        listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread server = new Thread(this::answer, "self-test");
        server.setDaemon(true);
        server.start();
    }

    /** The exit status: 0 if all is well. */
    static int run() throws Exception {
        try (SelfTest test = new SelfTest()) {
            Map<String, String> variables = new HashMap<>(System.getenv());
            variables.put("AWS_LAMBDA_RUNTIME_API",
                    test.listener.getInetAddress().getHostAddress() + ":" + test.listener.getLocalPort());
            variables.put("_HANDLER", Sampler.class.getName());
            try {
                new Bootstrap(variables, LogSink.discarding()).serve();
            } catch (IOException ended) {
                // The Runtime API is gone after two invocations.
            }
            return test.passed() ? 0 : 1;
        }
    }

    private synchronized boolean passed() {
        if (result.endsWith(RESULT) && error.contains("\"errorType\":\"java.lang.IllegalStateException\"")) {
            return true;
        }
        System.err.println("the self-test failed: " + result + error);
        return false;
    }

    private synchronized void answer() {
        try (Socket socket = listener.accept()) {
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            OutputStream out = socket.getOutputStream();
            request(in);
            out.write(invocation("false"));
            result = request(in);
            request(in);
            out.write(accepted());
            out.write(invocation("true"));
            error = request(in);
        } catch (IOException problem) {
            error += problem;
        }
    }

    private static byte[] invocation(String fail) {
        byte[] event = String.format(EVENT, fail).getBytes(StandardCharsets.UTF_8);
        String head = "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 1\r\nLambda-Runtime-Deadline-Ms: 1\r\n"
                + "Lambda-Runtime-Trace-Id: Root=1\r\nContent-Length: " + event.length + "\r\n\r\n";
        return (head + new String(event, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] accepted() {
        return "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.UTF_8);
    }

    /** The body of the next request. */
    private static String request(BufferedReader in) throws IOException {
        int length = 0;
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            if (line.startsWith("Content-Length: ")) {
                length = Integer.parseInt(line.substring(16));
            }
        }
        StringBuilder body = new StringBuilder();
        while (body.toString().getBytes(StandardCharsets.UTF_8).length < length) {
            int letter = in.read();
            if (letter < 0) {
                break;
            }
            body.append((char) letter);
        }
        return body.toString();
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
