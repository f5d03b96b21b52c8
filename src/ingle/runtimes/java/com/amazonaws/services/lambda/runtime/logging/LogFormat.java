package com.amazonaws.services.lambda.runtime.logging;

/** How log messages are written. */
public enum LogFormat {
    JSON,
    TEXT;

    /** Raises IllegalArgumentException for a name that is no format. */
    public static LogFormat fromString(String name) {
        try {
            return valueOf(name.toUpperCase(java.util.Locale.ROOT));
        } catch (RuntimeException problem) {
            throw new IllegalArgumentException("Invalid log format: '" + name + "' expected one of [JSON, TEXT]");
        }
    }
}
