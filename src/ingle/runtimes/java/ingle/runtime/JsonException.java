package ingle.runtime;

import java.io.IOException;

/** Text that is not JSON, or a value that does not fit the type it is read into. */
final class JsonException extends IOException {
    private static final long serialVersionUID = 1L;

    JsonException(String message) {
        super(message);
    }

    JsonException(String message, Throwable cause) {
        super(message, cause);
    }
}
