package ingle.runtime;

import java.util.Map;

/** Plain values (maps, iterables, texts, numbers, booleans, null) to JSON text. */
final class JsonWriter {
    private static final String HEX = "0123456789abcdef";

    private JsonWriter() {}

    static String write(Object value) {
        StringBuilder out = new StringBuilder(256);
        append(out, value);
        return out.toString();
    }

    private static void append(StringBuilder out, Object value) {
        if (value instanceof Map) {
            object(out, (Map<?, ?>) value);
        } else if (value instanceof Iterable) {
            array(out, (Iterable<?>) value);
        } else if (value instanceof Number) {
            number(out, (Number) value);
        } else if (value == null || value instanceof Boolean) {
            out.append(value);
        } else {
            text(out, value.toString());
        }
    }

    private static void object(StringBuilder out, Map<?, ?> members) {
        char separator = '{';
        for (Map.Entry<?, ?> member : members.entrySet()) {
            out.append(separator);
            text(out, String.valueOf(member.getKey()));
            out.append(':');
            append(out, member.getValue());
            separator = ',';
        }
        out.append(separator == '{' ? "{}" : "}");
    }

    private static void array(StringBuilder out, Iterable<?> items) {
        char separator = '[';
        for (Object item : items) {
            out.append(separator);
            append(out, item);
            separator = ',';
        }
        out.append(separator == '[' ? "[]" : "]");
    }

    /** What is not a number in JSON is written as text. */
    private static void number(StringBuilder out, Number value) {
        double check = value instanceof Double || value instanceof Float ? value.doubleValue() : 0;
        if (Double.isNaN(check) || Double.isInfinite(check)) {
            out.append('"').append(value).append('"');
        } else {
            out.append(value);
        }
    }

    private static void text(StringBuilder out, String value) {
        out.append('"');
        int length = value.length();
        for (int index = 0; index < length; index++) {
            char letter = value.charAt(index);
            int simple = letter < ' ' || letter == '"' || letter == '\\' ? "\"\\\b\f\n\r\t".indexOf(letter) : -1;
            if (simple >= 0) {
                out.append('\\').append("\"\\bfnrt".charAt(simple));
            } else if (letter < ' ' || lonely(value, index)) {
                out.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    out.append(HEX.charAt(letter >> shift & 15));
                }
            } else {
                out.append(letter);
            }
        }
        out.append('"');
    }

    /** Half of a surrogate pair cannot be encoded as UTF-8. */
    private static boolean lonely(String value, int index) {
        char letter = value.charAt(index);
        if (!Character.isSurrogate(letter)) {
            return false;
        }
        boolean high = Character.isHighSurrogate(letter);
        int other = high ? index + 1 : index - 1;
        if (other < 0 || other >= value.length()) {
            return true;
        }
        return high ? !Character.isLowSurrogate(value.charAt(other)) : !Character.isHighSurrogate(value.charAt(other));
    }
}
