package ingle.runtime;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogFormat;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** The function's logger, in the configured format and from the configured level on. */
final class Logger implements LambdaLogger {
    private final LogSink sink;
    private final LogFormat format;
    private final LogLevel level;
    private volatile String requestId;
    private volatile String tenantId;

    Logger(LogSink sink, Map<String, String> variables) {
        this.sink = sink;
        this.format = "JSON".equalsIgnoreCase(variables.get("AWS_LAMBDA_LOG_FORMAT")) ? LogFormat.JSON : LogFormat.TEXT;
        this.level = level(variables.get("AWS_LAMBDA_LOG_LEVEL"));
    }

    private static LogLevel level(String name) {
        try {
            return name == null ? LogLevel.UNDEFINED : LogLevel.fromString(name);
        } catch (IllegalArgumentException unknown) {
            return LogLevel.UNDEFINED;
        }
    }

    /** Make this the logger that code without a context finds. */
    void install() throws ReflectiveOperationException {
        Field field = LambdaRuntime.class.getDeclaredField("logger");
        field.setAccessible(true);
        field.set(null, this);
    }

    void begin(String requestId, String tenantId) {
        this.requestId = requestId;
        this.tenantId = tenantId;
    }

    /** An error of the handler or of its initialisation. */
    void error(String report) {
        log(report, format == LogFormat.JSON ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel messageLevel) {
        if (!wanted(messageLevel)) {
            return;
        }
        if (format == LogFormat.JSON) {
            sink.event(structured(String.valueOf(message), messageLevel));
        } else {
            // As on AWS: the level is shown only where it was given.
            sink.event(messageLevel == LogLevel.UNDEFINED ? String.valueOf(message) : "[" + messageLevel + "] " + message);
        }
    }

    @Override
    public void log(byte[] message, LogLevel messageLevel) {
        if (!wanted(messageLevel)) {
            return;
        }
        if (format == LogFormat.JSON) {
            log(new String(message, StandardCharsets.UTF_8), messageLevel);
        } else {
            sink.event(message);
        }
    }

    private boolean wanted(LogLevel messageLevel) {
        return messageLevel == LogLevel.UNDEFINED || messageLevel.ordinal() >= level.ordinal();
    }

    private String structured(String message, LogLevel messageLevel) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("timestamp", Times.FORMAT.format(Instant.now()));
        record.put("level", messageLevel.name());
        record.put("message", message);
        if (requestId != null) {
            record.put("AWSRequestId", requestId);
        }
        if (tenantId != null) {
            record.put("tenantId", tenantId);
        }
        return JsonWriter.write(record) + "\n";
    }

    /** Loaded with the first JSON record only: the formatter is dear. */
    private static final class Times {
        static final DateTimeFormatter FORMAT =
                DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    }
}
