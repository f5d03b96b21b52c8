package ingle.runtime;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Writes log events: framed, so that an event may span lines, or as plain lines where there is no such channel.
 *
 * A frame is a kind, a length, a time in microseconds, all big-endian, and the content. Output streams go through the
 * same channel, so that they keep their order with log events; the receiver splits them at line ends.
 */
final class LogSink {
    private static final int TEXT_FRAME = 0xA55A0003;
    private static final int STREAM_FRAME = 0x696E676C;
    private static final int HEAD = 16;

    private final OutputStream channel;
    private final boolean framed;

    private LogSink(OutputStream channel, boolean framed) {
        this.channel = channel;
        this.framed = framed;
    }

    /** The sink on descriptor {@code number}, to which the standard streams are led too; on standard output without. */
    static LogSink open(String number) {
        OutputStream channel = number == null ? null : descriptor(number);
        if (channel == null) {
            return new LogSink(new FileOutputStream(FileDescriptor.out), false);
        }
        LogSink sink = new LogSink(channel, true);
        System.setOut(sink.printStream());
        System.setErr(sink.printStream());
        return sink;
    }

    /** A sink that keeps nothing. */
    static LogSink discarding() {
        return new LogSink(new java.io.ByteArrayOutputStream(), true);
    }

    /** Opened by number: the name in /proc belongs to another user, who made the pipe. */
    private static OutputStream descriptor(String number) {
        try {
            Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
            constructor.setAccessible(true);
            return new FileOutputStream(constructor.newInstance(Integer.parseInt(number)));
        } catch (ReflectiveOperationException | RuntimeException unavailable) {
            return null;
        }
    }

    private PrintStream printStream() {
        try {
            return new PrintStream(new Stream(), false, "UTF-8");
        } catch (java.io.UnsupportedEncodingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    void event(byte[] message) {
        if (framed) {
            frame(TEXT_FRAME, message, 0, message.length);
        } else {
            write(message);
            if (message.length == 0 || message[message.length - 1] != '\n') {
                write(new byte[] {'\n'});
            }
        }
    }

    void event(String message) {
        event(message.getBytes(StandardCharsets.UTF_8));
    }

    private void frame(int kind, byte[] content, int offset, int length) {
        ByteBuffer frame = ByteBuffer.allocate(HEAD + length);
        frame.putInt(kind).putInt(length).putLong(System.currentTimeMillis() * 1000).put(content, offset, length);
        write(frame.array());
    }

    private synchronized void write(byte[] data) {
        try {
            channel.write(data);
        } catch (IOException nobodyReads) {
            // The platform ended; the next call of the Runtime API tells.
        }
    }

    private final class Stream extends OutputStream {
        @Override
        public void write(int value) {
            frame(STREAM_FRAME, new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] data, int offset, int length) {
            frame(STREAM_FRAME, data, offset, length);
        }
    }
}
