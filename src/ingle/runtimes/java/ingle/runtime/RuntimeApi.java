package ingle.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * One keep-alive connection to the Runtime API. A lost connection ends the process: the platform starts anew.
 *
 * The answer to one invocation and the poll for the next leave in a single write.
 */
final class RuntimeApi {
    private static final String API = "/2018-06-01/runtime";

    /** An answer of the Runtime API. Names of headers are in lower case. */
    static final class Answer {
        final int status;
        final Map<String, String> headers;
        final byte[] body;

        Answer(int status, Map<String, String> headers, byte[] body) {
            this.status = status;
            this.headers = headers;
            this.body = body;
        }
    }

    private final String address;
    private final InputStream in;
    private final OutputStream out;
    private byte[] buffer = new byte[65536];
    private int start;
    private int end;

    RuntimeApi(String address) throws IOException {
        this.address = address;
        int colon = address.lastIndexOf(':');
        int port = colon < 0 ? 80 : Integer.parseInt(address.substring(colon + 1));
        Socket socket = new Socket(InetAddress.getByName(colon < 0 ? address : address.substring(0, colon)), port);
        socket.setTcpNoDelay(true);
        in = socket.getInputStream();
        out = socket.getOutputStream();
    }

    /** Send {@code answer} (a finished request, or nothing) together with the poll; the next invocation. */
    Answer next(byte[] answer) throws IOException {
        byte[] poll = ("GET " + API + "/invocation/next HTTP/1.1\r\nHost: " + address + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        out.write(answer == null ? poll : joined(answer, poll));
        if (answer != null) {
            read();
        }
        Answer invocation = read();
        if (invocation.status != 200) {
            throw new IOException("Runtime API answered " + invocation.status + " to the poll");
        }
        return invocation;
    }

    static String result(String requestId) {
        return API + "/invocation/" + requestId + "/response";
    }

    static String error(String requestId) {
        return API + "/invocation/" + requestId + "/error";
    }

    static final String INIT_ERROR = API + "/init/error";

    /** A finished POST request. {@code errorType} and {@code cause} are headers of errors, null for none. */
    byte[] post(String path, byte[] body, String errorType) {
        StringBuilder head = new StringBuilder(256);
        head.append("POST ").append(path).append(" HTTP/1.1\r\nHost: ").append(address);
        head.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(body.length);
        if (errorType != null) {
            head.append("\r\nLambda-Runtime-Function-Error-Type: ").append(errorType);
        }
        head.append("\r\n\r\n");
        return joined(head.toString().getBytes(StandardCharsets.ISO_8859_1), body);
    }

    void send(byte[] request) throws IOException {
        out.write(request);
        read();
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = java.util.Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private Answer read() throws IOException {
        String[] statusLine = line().split(" ", 3);
        Map<String, String> headers = new HashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
            }
        }
        String length = headers.get("content-length");
        return new Answer(Integer.parseInt(statusLine[1]), headers, body(length == null ? 0 : Integer.parseInt(length)));
    }

    /** One line of a head, without its end. Headers carry JSON as UTF-8. */
    private String line() throws IOException {
        int searched = start;
        while (true) {
            for (; searched < end; searched++) {
                if (buffer[searched] == '\n') {
                    int last = searched > start && buffer[searched - 1] == '\r' ? searched - 1 : searched;
                    String line = new String(buffer, start, last - start, StandardCharsets.UTF_8);
                    start = searched + 1;
                    return line;
                }
            }
            searched -= start;
            fill();
            searched += start;
        }
    }

    /** More bytes behind those that are there. */
    private void fill() throws IOException {
        System.arraycopy(buffer, start, buffer, 0, end - start);
        end -= start;
        start = 0;
        if (end == buffer.length) {
            buffer = java.util.Arrays.copyOf(buffer, buffer.length * 2);
        }
        int got = in.read(buffer, end, buffer.length - end);
        if (got < 0) {
            throw new IOException("the Runtime API closed the connection");
        }
        end += got;
    }

    private byte[] body(int length) throws IOException {
        byte[] body = new byte[length];
        int have = Math.min(length, end - start);
        System.arraycopy(buffer, start, body, 0, have);
        start += have;
        while (have < length) {
            int got = in.read(body, have, length - have);
            if (got < 0) {
                throw new IOException("the Runtime API closed the connection");
            }
            have += got;
        }
        return body;
    }
}
